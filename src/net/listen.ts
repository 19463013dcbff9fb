/** Binds a server to host and port, and says readably why it could not. */

import type { Server } from "node:net";
import { SpoorError } from "../core/errors.ts";

/** Where to listen, and the flag that sets it, for error texts. */
export interface ListenOptions {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Name of the flag without dashes, e.g. `collector.otlp.http.host-port`. */
  readonly flag: string;
}

/** Listens; resolves to the actual port. Rejects with `in-use` or `config`. */
export function listen(server: Server, options: ListenOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void => {
      reject(listenError(cause, options));
    };
    server.once("error", failed);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off("error", failed);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : options.port);
    });
  });
}

/** A failed bind as one line a user can act on. */
export function listenError(cause: NodeJS.ErrnoException, options: ListenOptions): SpoorError {
  const { host, port, flag } = options;
  if (cause.code === "EADDRINUSE") {
    const advice = `stop the program that has it, or choose another with --${flag}`;
    return new SpoorError("in-use", `port ${port} on ${host} is in use: ${advice}`, { cause });
  }
  const reason =
    cause.code === "EACCES"
      ? `not allowed to listen on port ${port}`
      : `cannot listen on ${host}:${port}: ${cause.message}`;
  return new SpoorError("config", `${reason} (--${flag})`, { cause });
}
