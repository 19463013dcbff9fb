// The client as it is published: packed, and its tarball unpacked beside the packages it needs.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "./temp-folder.ts";

const root = join(import.meta.dirname, "..", "..");

/**
 * Makes a folder whose node_modules holds the unpacked tarball, and beside it links to `packages`
 * of this checkout; the caller removes it.
 */
export function installPackedClient(packages: readonly string[] = []): string {
  const folder = tempFolder("client");
  const release = join(root, "scripts", "release.ts");
  const args = [release, "--only", "client", "--to", folder];
  execFileSync(process.execPath, args, { stdio: "pipe" });
  const modules = join(folder, "node_modules");
  const into = join(modules, "spoor-client");
  mkdirSync(into, { recursive: true });
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  execFileSync("tar", ["xzf", join(folder, tarball), "-C", into, "--strip-components=1"]);
  for (const name of ["opentracing", ...packages]) {
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  return folder;
}
