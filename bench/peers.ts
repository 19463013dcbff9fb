/** Builds the peer the bench compares with: real Jaeger from its Go module, kept elsewhere. */

import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { jaegerBinary, jaegerVersion } from "./servers.ts";

const moduleName = "github.com/jaegertracing/jaeger";

function run(command: string, args: readonly string[], cwd: string): string {
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=mod" };
  const result = spawnSync(command, args, { cwd, env, encoding: "utf8", maxBuffer: 1 << 26 });
  if (result.status !== 0) {
    const said = result.stderr?.trim().split("\n").at(-1) ?? result.error?.message ?? "";
    throw new Error(`${command} ${args.join(" ")}: ${said}`);
  }
  return result.stdout;
}

/**
 * Builds Jaeger all-in-one unless it is kept from before; returns why it could not.
 *
 * `go install` refuses the module for its replace directive, so its folder is copied and built
 * there: some minutes, once.
 */
export function buildPeers(): string | undefined {
  if (fs.existsSync(jaegerBinary)) return undefined;
  const cache = path.dirname(jaegerBinary);
  try {
    const scratch = path.join(cache, "scratch");
    fs.mkdirSync(scratch, { recursive: true });
    if (!fs.existsSync(path.join(scratch, "go.mod")))
      run("go", ["mod", "init", "scratch"], scratch);
    const query = `${moduleName}@v${jaegerVersion}`;
    const { Dir } = JSON.parse(run("go", ["mod", "download", "-json", query], scratch)) as {
      Dir: string;
    };
    const source = path.join(cache, `jaeger-${jaegerVersion}`);
    fs.rmSync(source, { recursive: true, force: true });
    fs.cpSync(Dir, source, { recursive: true });
    run("chmod", ["-R", "u+w", source], cache);
    console.log("building Jaeger (some minutes, kept afterwards)");
    run("go", ["build", "-o", jaegerBinary, "./cmd/all-in-one"], source);
    return undefined;
  } catch (reason) {
    return `not built here (${(reason as Error).message})`;
  }
}
