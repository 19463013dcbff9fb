/** A server that is far away: a proxy before it that delivers bytes after a while, both ways. */

import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { once } from "node:events";

const HOST = "127.0.0.1";

/** Starts it; resolves to its port. */
export async function farAway(port: number, roundTripMs: number): Promise<number> {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: HOST, noDelay: true });
    carry(near, far, roundTripMs / 2);
    carry(far, near, roundTripMs / 2);
  });
  server.listen(0, HOST);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

function carry(from: Socket, to: Socket, delayMs: number): void {
  from.on("data", (bytes) => setTimeout(() => to.write(bytes), delayMs));
  from.on("error", () => to.destroy());
  from.on("close", () => setTimeout(() => to.destroy(), delayMs));
}
