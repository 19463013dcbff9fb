/** One process owns a data directory: a lock that the kernel drops when its holder dies. */

import { once } from "node:events";
import { readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { Server } from "node:net";
import { relative } from "node:path";
import { errorCode } from "../../base/node/file-layer.ts";
import { SpoorError } from "../../core/errors.ts";
import { fileError } from "./file-error.ts";

/** Longest path a socket may have (104 bytes on macOS, 108 on Linux, with the closing zero). */
const SOCKET_PATH_BYTES = 100;
/** Who holds the lock, for people; not what decides. */
const HOLDER_FILE = "lock";
const SOCKET_FILE = "lock.sock";

/** A held lock. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Locks a directory for this process, or throws `in-use` with one readable line.
 *
 * Node has no flock, and a file with a process id outlives crashes while ids are used again. A
 * listening socket does not: the kernel closes it with its process. On Linux a socket in the
 * abstract namespace, named by the directory's device and inode, decides at once and without a
 * race. A socket in the directory itself also excludes processes in other containers and works
 * on other systems; there two that start within the same millisecond over a dead socket could
 * both win. File systems without sockets have the first alone.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const servers: Server[] = [];
  const release = async (): Promise<void> => {
    for (const server of servers) await closed(server);
  };
  try {
    if (process.platform === "linux") {
      const { dev, ino } = statSync(directory);
      servers.push(await listen(`\0spoor:${dev}:${ino}`));
    }
    const socket = await listenInside(directory);
    if (socket !== undefined) servers.push(socket);
    writeFileSync(`${directory}/${HOLDER_FILE}`, `${process.pid}\n`);
  } catch (error) {
    await release();
    if (errorCode(error) === "EADDRINUSE") throw inUse(directory);
    throw fileError(error, `cannot lock the data directory ${directory}`);
  }
  return { release };
}

function inUse(directory: string): SpoorError {
  let holder = "";
  try {
    holder = ` (process ${readFileSync(`${directory}/${HOLDER_FILE}`, "utf8").trim()})`;
  } catch {
    // Who holds it is only told when it is known.
  }
  const text = `the data directory ${directory} is in use by another Spoor${holder}`;
  return new SpoorError("in-use", text);
}

async function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.unref();
  server.listen(path);
  await once(server, "listening");
  return server;
}

/** Listens on a socket file in the directory; undefined where that cannot be done. */
async function listenInside(directory: string): Promise<Server | undefined> {
  const absolute = `${directory}/${SOCKET_FILE}`;
  const near = relative(process.cwd(), absolute);
  const path = near.length < absolute.length ? near : absolute;
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES) return undefined;
  for (let attempt = 0; ; attempt++) {
    try {
      return await listen(path);
    } catch (error) {
      const code = errorCode(error);
      if (code !== "EADDRINUSE") {
        if (code === "EACCES" || code === "EROFS") throw error;
        return undefined;
      }
      if (attempt === 3 || (await isAlive(path))) throw error;
      removeDead(path);
    }
  }
}

/** Whether somebody answers on the socket. */
async function isAlive(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    return errorCode(error) !== "ECONNREFUSED" && errorCode(error) !== "ENOENT";
  } finally {
    socket.destroy();
  }
}

function removeDead(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
