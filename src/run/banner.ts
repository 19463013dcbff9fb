/** The lines a person sees at the start: where to look, where to send, where the data is. */

/** Where something listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** A line: what it is, and where. */
export type BannerRow = readonly [name: string, value: string];

/** Every server a role may have, in the order of the banner, with how its place is written. */
const SERVERS = {
  query: ["UI and API", "http://*/"],
  otlpHttp: ["OTLP/HTTP", "http://*/v1/traces"],
  otlpGrpc: ["OTLP/gRPC", "*"],
  jaegerHttp: ["Jaeger/HTTP", "http://*/api/traces"],
  jaegerGrpc: ["Jaeger/gRPC", "*"],
  zipkin: ["Zipkin", "http://*/api/v2/spans"],
  jaegerCompact: ["UDP compact", "*"],
  jaegerBinary: ["UDP binary", "*"],
  zipkinCompact: ["UDP Zipkin", "*"],
  clientConfig: ["Sampling", "http://*/sampling"],
  admin: ["Health", "http://*/"],
} as const satisfies { readonly [name: string]: readonly [title: string, form: string] };

export type ServerName = keyof typeof SERVERS;

/** What the banner tells of. */
export interface BannerFacts {
  readonly version: string;
  readonly servers: { readonly [name in ServerName]?: Place };
  /** The last lines: where spans are kept, or go. */
  readonly rows: readonly BannerRow[];
}

/** The banner, with a final newline. Servers that are off have no line. */
export function bannerText({ version, servers, rows }: BannerFacts): string {
  const places = Object.entries(servers).map(([name, place]) => [name, place] as const);
  const doors = Object.entries(SERVERS).flatMap(([name, [title, form]]): BannerRow[] => {
    const place = places.find(([server]) => server === name)?.[1];
    return place === undefined ? [] : [[title, form.replace("*", authority(place))]];
  });
  const lines = [...doors, ...rows].map(([name, value]) => `  ${name.padEnd(12)}${value}`);
  return [`Spoor ${version} is ready. Ctrl-C stops it.`, ...lines, ""].join("\n");
}

/** An empty host is every interface: this machine's name for itself works. */
function authority({ host, port }: Place): string {
  if (host === "") return `localhost:${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
