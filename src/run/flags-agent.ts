/** Flags of the agent: its UDP doors, what it tells clients, and where it sends what comes in. */

import type { Flag } from "./flag.ts";

/** Who has the doors for Jaeger's clients, as Jaeger's all-in-one had them up to 1.62. */
const DOORS = ["all-in-one", "agent"] as const;
const AGENT = ["agent"] as const;

/** The five rows of a UDP processor. */
function processorFlags<Name extends string>(processor: Name, port: number, what: string) {
  return [
    {
      name: `processor.${processor}.server-host-port`,
      kind: "host-port",
      roles: DOORS,
      default: `:${port}`,
      group: "agent",
      help: `UDP port for ${what}.`,
    },
    {
      name: `processor.${processor}.server-max-packet-size`,
      kind: "bytes",
      roles: DOORS,
      default: "65000",
      group: "agent",
      help: "Largest datagram that is decoded.",
    },
    {
      name: `processor.${processor}.server-queue-size`,
      kind: "integer",
      roles: DOORS,
      default: "1000",
      group: "agent",
      help: "Datagrams that may wait to be decoded; later ones are dropped and counted.",
    },
    {
      name: `processor.${processor}.server-socket-buffer-size`,
      kind: "bytes",
      roles: DOORS,
      default: "0",
      group: "agent",
      help:
        "Bytes the kernel is asked to hold for the socket; 0 asks for 4 MiB. Its own limit " +
        "is net.core.rmem_max.",
    },
    {
      name: `processor.${processor}.workers`,
      kind: "integer",
      roles: DOORS,
      default: "10",
      group: "agent",
      help: "Accepted for Jaeger's sake: one thread decodes.",
    },
  ] as const satisfies readonly Flag[];
}

/** Rows of the table of flags. */
export const AGENT_FLAGS = [
  ...processorFlags("jaeger-compact", 6831, "Jaeger's Thrift in the compact protocol"),
  ...processorFlags("jaeger-binary", 6832, "Jaeger's Thrift in the binary protocol"),
  ...processorFlags("zipkin-compact", 5775, "Zipkin's Thrift in the compact protocol"),
  {
    name: "http-server.host-port",
    kind: "host-port",
    roles: DOORS,
    default: ":5778",
    group: "agent",
    help: "HTTP port where clients ask for sampling strategies and baggage restrictions.",
  },
  {
    name: "http-server.baggage-restrictions-file",
    kind: "text",
    roles: DOORS,
    default: "",
    group: "agent",
    help:
      "JSON with baggage restrictions: a list for every service, or lists by service; empty " +
      "is an error to who asks, as in Jaeger.",
  },
  {
    name: "agent.tags",
    kind: "list",
    roles: AGENT,
    default: "",
    group: "agent",
    help:
      "Tags added to the process of every span: key=value with commas between; " +
      "${VAR:default} reads the environment.",
  },
  {
    name: "reporter.type",
    kind: "choice",
    choices: ["grpc", "otlp"],
    roles: AGENT,
    default: "grpc",
    group: "agent",
    help: "How spans go to the collectors: as Jaeger's PostSpans or as OTLP, both over gRPC.",
  },
  {
    name: "reporter.grpc.host-port",
    kind: "list",
    roles: AGENT,
    default: "",
    group: "agent",
    help:
      "Collectors as host:port with commas between; a name may stand for many. Sampling " +
      "strategies come from them too.",
  },
  {
    name: "reporter.otlp.host-port",
    kind: "list",
    roles: AGENT,
    default: "",
    group: "agent",
    help: "With reporter.type otlp, where spans go instead.",
  },
  {
    name: "reporter.grpc.retry.max",
    kind: "integer",
    roles: AGENT,
    default: "3",
    group: "agent",
    help:
      "Times a batch is sent again that collectors refuse because they are busy; waiting for " +
      "a collector is no attempt.",
  },
  {
    name: "reporter.grpc.discovery.min-peers",
    kind: "integer",
    roles: AGENT,
    default: "3",
    group: "agent",
    help: "Most collectors that are connected at a time.",
  },
  {
    name: "reporter.buffer-bytes",
    kind: "bytes",
    roles: AGENT,
    default: "16MiB",
    group: "agent",
    help:
      "Bytes of spans that may wait for the collectors; what comes then is dropped and " +
      "counted.",
  },
  {
    name: "reporter.buffer-spans",
    kind: "integer",
    roles: AGENT,
    default: "200000",
    group: "agent",
    help: "The same in spans.",
  },
  {
    name: "reporter.grpc.tls.enabled",
    kind: "boolean",
    roles: AGENT,
    default: "false",
    group: "agent",
    help: "TLS to the collectors.",
  },
  {
    name: "reporter.grpc.tls.ca",
    kind: "text",
    roles: AGENT,
    default: "",
    group: "agent",
    help: "File with the authorities that vouch for collectors; default those Node knows.",
  },
  {
    name: "reporter.grpc.tls.cert",
    kind: "text",
    roles: AGENT,
    default: "",
    group: "agent",
    help: "File with the certificate shown to collectors.",
  },
  {
    name: "reporter.grpc.tls.key",
    kind: "text",
    roles: AGENT,
    default: "",
    group: "agent",
    help: "File with its key.",
  },
  {
    name: "reporter.grpc.tls.server-name",
    kind: "text",
    roles: AGENT,
    default: "",
    group: "agent",
    help: "Name that collectors' certificates must have; default that of the host.",
  },
  {
    name: "reporter.grpc.tls.skip-host-verify",
    kind: "boolean",
    roles: AGENT,
    default: "false",
    group: "agent",
    help: "Takes any certificate.",
  },
] as const satisfies readonly Flag[];
