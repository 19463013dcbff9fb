/** Jaeger's own load generator, built from its Go module and kept between runs. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const MODULE = "github.com/jaegertracing/jaeger";
const VERSION = "1.76.0";

const execute = promisify(execFile);

/**
 * Path of the program; the first build takes some minutes. `go install` refuses the module for
 * its replace directive, so its folder is copied and built there.
 */
export async function jaegerTracegen(): Promise<string> {
  const folder = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "spoor-bench");
  const binary = join(folder, `jaeger-tracegen-${VERSION}`);
  if (existsSync(binary)) return binary;
  const work = `${binary}.${process.pid}`;
  const source = join(work, "source");
  await mkdir(work, { recursive: true });
  await writeFile(join(work, "go.mod"), "module scratch\n");
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=mod" };
  const go = (cwd: string, ...args: string[]): Promise<{ stdout: string }> =>
    execute("go", args, { cwd, env, maxBuffer: 2 ** 26 });
  const { stdout } = await go(work, "mod", "download", "-json", `${MODULE}@v${VERSION}`);
  const { Dir } = JSON.parse(stdout) as { readonly Dir: string };
  await cp(Dir, source, { recursive: true });
  await execute("chmod", ["-R", "u+w", source]);
  await go(source, "build", "-o", join(work, "tracegen"), "./cmd/tracegen");
  await rename(join(work, "tracegen"), binary);
  await rm(work, { recursive: true, force: true });
  return binary;
}
