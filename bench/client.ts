/** Measures the published client beside jaeger-client and OpenTelemetry: `node bench/client.ts`. */

import { createSocket } from "node:dgram";
import { rmSync } from "node:fs";
import { createServer } from "node:http";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { AddressInfo } from "node:net";
import { installPackedClient } from "../test/support/packed-client.ts";
import { measureServers } from "./client-server.ts";
import { measurePages } from "./client-size.ts";
import { measureSpans } from "./client-span.ts";
import { commitOf } from "./machine.ts";
import { writeSection } from "./page.ts";
import type { ServerCost } from "./client-server.ts";
import type { PageCost } from "./client-size.ts";
import type { SpanCost } from "./client-span.ts";

const usage = `node bench/client.ts [options]
  --passes N    passes over the clients, five rounds each (default 3)
  --rounds N    pairs of rounds of each server (default 400)
  --requests N  requests a round (default 160)
  --write       write the client's section of BENCHMARKS.md
`;

const { values } = parseArgs({
  options: {
    passes: { type: "string", default: "3" },
    rounds: { type: "string", default: "400" },
    requests: { type: "string", default: "160" },
    write: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function spanTable(costs: readonly SpanCost[]): string {
  const rows = costs.map(({ client, bestNs, medianNs, bytes, rounds }) => {
    const allocated = bytes === null ? "" : String(bytes);
    return [client, bestNs.toFixed(0), medianNs.toFixed(0), allocated, String(rounds)];
  });
  return table(["client", "best ns", "median ns", "bytes allocated", "rounds"], rows);
}

function serverTable(costs: readonly ServerCost[]): string {
  const rows = costs.map(({ mode, plainUs, moreUs, lowUs, highUs, rounds }) => {
    const bounds = `${moreUs.toFixed(1)} (${lowUs.toFixed(1)} to ${highUs.toFixed(1)})`;
    return [mode, plainUs.toFixed(1), bounds, String(rounds)];
  });
  return table(
    ["what is traced by", "µs a plain request", "a traced one more (95 %)", "pairs"],
    rows,
  );
}

function pageTable(costs: readonly PageCost[]): string {
  const rows = costs.map(({ imports, minifiedBytes, gzipBytes }) => {
    return [imports, minifiedBytes.toLocaleString("en"), gzipBytes.toLocaleString("en")];
  });
  return table(["what a page imports", "minified bytes", "gzip bytes"], rows);
}

/** Receivers that take everything and do nothing. */
async function receivers(): Promise<{ udp: number; http: number; close(): void }> {
  const udp = createSocket("udp4");
  udp.on("message", () => {});
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  const http = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(200).end());
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    udp.close();
    http.close();
    http.closeAllConnections();
  };
  return { udp: udp.address().port, http: (http.address() as AddressInfo).port, close };
}

async function main(): Promise<void> {
  const load = loadavg()[0]!.toFixed(2);
  // Of the tarball: the checkout may go on while this runs.
  const commit = commitOf(join(import.meta.dirname, ".."));
  const installed = installPackedClient(["jaeger-client"]);
  const taking = await receivers();
  const ports = { udp: taking.udp, http: taking.http };
  const pages = pageTable(await measurePages(installed));
  console.log(pages);
  const spans = spanTable(await measureSpans(installed, ports, Number(values.passes)));
  console.log(spans);
  const options = { rounds: Number(values.rounds), requests: Number(values.requests) };
  const servers = serverTable(await measureServers(installed, ports.udp, options));
  console.log(servers);
  taking.close();
  rmSync(installed, { recursive: true, force: true });
  const given = ["node bench/client.ts", ...process.argv.slice(2)].join(" ");
  const text = `## Client

Written by \`${given}\` at ${new Date().toISOString().slice(0, 16)}Z, commit \
${commit}, Node ${process.versions.node}; load average before the
run ${load}, and whatever else ran on the machine's cores meanwhile is in the medians.
The client is the tarball of \`npm run pack\`, installed; jaeger-client 3.19.0 and
@opentelemetry/sdk-trace-node 2.12.0 are measured in the same run, in turns.

### A span
Start, four tags, finish; CPU of the process, garbage collection and sending included.

${spans}
### A request
A busy \`node:http\` server that makes one call a request: a server span and a client span. Rounds
of ${options.requests} traced and as many plain requests take turns in the same process; the
difference is within such pairs: the median and its bounds. The process that traces nothing tells
what is noise. Who asks and who is asked never sleep: the server's writes would pay for waking them.

${servers}
### A page
${pages}`;
  if (values.write) writeSection("client", text);
}

if (values.help) process.stdout.write(usage);
else await main();
