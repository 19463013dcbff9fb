// Where the files of the installed client are: what is measured is what is published.
import { join } from "node:path";

/** A file of the package by its name below src/client, as an ES module. */
export function installedFile(folder: string, name: string): string {
  return join(folder, "node_modules", "spoor-client", "esm", "client", name);
}
