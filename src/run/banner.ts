/** The lines a person sees at the start: where to look, where to send, where the data is. */

import type { ServerName } from "./all-in-one.ts";

/** What the banner tells of. */
export interface BannerFacts {
  readonly version: string;
  readonly servers: {
    readonly [name in ServerName]?: { readonly host: string; readonly port: number };
  };
  /** Where spans are kept. */
  readonly place: string;
}

/** The banner, with a final newline. Servers that are off have no line. */
export function bannerText({ version, servers, place }: BannerFacts): string {
  const rows: [string, string][] = [];
  const { query, otlpHttp, otlpGrpc, admin } = servers;
  if (query !== undefined) rows.push(["UI and API", `http://${authority(query)}/`]);
  if (otlpHttp !== undefined) rows.push(["OTLP/HTTP", `http://${authority(otlpHttp)}/v1/traces`]);
  if (otlpGrpc !== undefined) rows.push(["OTLP/gRPC", authority(otlpGrpc)]);
  if (admin !== undefined) rows.push(["Health", `http://${authority(admin)}/`]);
  rows.push(["Spans", place]);
  const lines = rows.map(([name, value]) => `  ${name.padEnd(12)}${value}`);
  return [`Spoor ${version} is ready. Ctrl-C stops it.`, ...lines, ""].join("\n");
}

function authority({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
