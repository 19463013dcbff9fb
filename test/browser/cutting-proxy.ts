/** A proxy before the UI's server that cuts connections within a trace's skeleton. */

import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { UiServer } from "./ui-server.ts";

export interface CuttingProxy {
  readonly url: string;
  /** The share of a skeleton's bytes that is let through; 0 lets no connection come about. */
  share: number;
  /** Cuts the skeletons that wait, having got so far. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts it on a free port; everything goes through until `share` is below 1. */
export async function startCuttingProxy(ui: UiServer): Promise<CuttingProxy> {
  const waiting = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    const cuts = /\/skeleton\b/.test(request.url ?? "") && proxy.share < 1;
    if (cuts && proxy.share === 0) response.destroy();
    else void forward(request, response).catch(() => response.destroy());
  });
  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { method = "GET", url = "" } = request;
    const body = parts.length === 0 ? {} : { body: Buffer.concat(parts) };
    const answer = await fetch(new URL(url, ui.url), { method, ...body });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const headers = Object.fromEntries(answer.headers);
    // Those of the answer as it came: it is inflated now, and of unknown length when cut.
    for (const name of ["content-encoding", "content-length", "transfer-encoding"]) {
      delete headers[name];
    }
    response.writeHead(answer.status, headers);
    if (!/\/skeleton\b/.test(url) || proxy.share >= 1) response.end(bytes);
    else {
      waiting.add(response);
      response.write(bytes.subarray(0, Math.floor(bytes.length * proxy.share)));
    }
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: CuttingProxy = {
    url: `http://127.0.0.1:${port}`,
    share: 1,
    cut: () => {
      for (const response of waiting) response.destroy();
      waiting.clear();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}
