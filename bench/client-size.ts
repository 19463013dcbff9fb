// What the client adds to a page, minified by esbuild and gzipped. Run: node bench/client-size.ts
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const folder = fileURLToPath(new URL("..", import.meta.url));
const ENTRIES = {
  "opentracing alone": 'import * as all from "opentracing"; export { all };',
  "initTracer (OTLP over HTTP)": 'export { initTracer } from "./src/client/index.ts";',
  "initTracer and instrumentFetch":
    'export { initTracer } from "./src/client/index.ts";' +
    'export { instrumentFetch } from "./src/client/instrument-fetch.ts";',
};

console.log("| what a page imports | minified bytes | gzip bytes |");
console.log("|---|---|---|");
for (const [name, contents] of Object.entries(ENTRIES)) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
  });
  const bytes = outputFiles[0]!.contents;
  console.log(`| ${name} | ${bytes.length} | ${gzipSync(bytes, { level: 9 }).length} |`);
}
