// What the client adds to a page: bundled and minified by esbuild, gzipped.
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const entries = {
  "opentracing alone": 'import * as all from "opentracing"; export { all };',
  "spoor-client: initTracer": 'export { initTracer } from "spoor-client";',
  "spoor-client: initTracer and instrumentFetch":
    'export { initTracer } from "spoor-client";' +
    'export { instrumentFetch } from "spoor-client/fetch";',
};

export interface PageCost {
  readonly imports: string;
  readonly minifiedBytes: number;
  readonly gzipBytes: number;
}

/** Bundles what pages import of the client that is installed in a folder. */
export async function measurePages(installed: string): Promise<PageCost[]> {
  const costs: PageCost[] = [];
  for (const [imports, contents] of Object.entries(entries)) {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: installed },
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      target: "es2022",
      write: false,
      nodePaths: [join(installed, "node_modules")],
    });
    const { contents: bytes } = outputFiles[0]!;
    const gzipBytes = gzipSync(bytes, { level: 9 }).length;
    costs.push({ imports, minifiedBytes: bytes.length, gzipBytes });
  }
  return costs;
}
