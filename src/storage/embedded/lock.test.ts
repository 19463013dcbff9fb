/** The directory lock: excludes, says who, and does not outlive its process. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { isSpoorError } from "../../core/errors.ts";
import { lockDirectory } from "./lock.ts";

function temporary(): string {
  return tempFolder("lock");
}

test("a second owner gets one readable line; a released directory can be had", async () => {
  const directory = temporary();
  const lock = await lockDirectory(directory);
  await assert.rejects(lockDirectory(directory), (error: Error) => {
    assert.ok(isSpoorError(error, "in-use"));
    const ending = `in use by another Spoor (process ${process.pid})`;
    assert.ok(error.message.endsWith(ending), error.message);
    return true;
  });
  await lock.release();
  await (await lockDirectory(directory)).release();
});

test("a killed process leaves no lock behind", async () => {
  const directory = temporary();
  const url = new URL("./lock.ts", import.meta.url).href;
  const script = `import { lockDirectory } from ${JSON.stringify(url)};
    await lockDirectory(${JSON.stringify(directory)});
    process.stdout.write("held"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  await once(child.stdout, "data");
  await assert.rejects(lockDirectory(directory), /in use/);
  child.kill("SIGKILL");
  await once(child, "exit");
  await (await lockDirectory(directory)).release();
});

test("a live socket in the directory excludes those who cannot see the abstract one", async () => {
  const directory = temporary();
  const server = createServer().listen(`${directory}/lock.sock`);
  await once(server, "listening");
  await assert.rejects(lockDirectory(directory), (error) => isSpoorError(error, "in-use"));
  server.close();
  await once(server, "close");
  await (await lockDirectory(directory)).release();
});

test("a stale holder file does not lock", async () => {
  const directory = temporary();
  writeFileSync(join(directory, "lock"), `${process.ppid}\n`);
  await (await lockDirectory(directory)).release();
});
