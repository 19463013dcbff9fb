/** Flags that several servers have alike: TLS, timeouts over HTTP, ages over gRPC. */

import type { Flag, FLAG_GROUPS, RoleName } from "./flag.ts";

/** Whose rows are made. */
interface Owner {
  readonly roles: readonly RoleName[];
  readonly group: keyof typeof FLAG_GROUPS;
}

/** The rows of a server's TLS, with Jaeger's names. */
export function tlsFlags<const P extends string>(prefix: P, { group, roles }: Owner) {
  return [
    {
      name: `${prefix}.tls.enabled`,
      kind: "boolean",
      roles,
      default: "false",
      group,
      help: "TLS on this server; the other settings of it need this one.",
    },
    {
      name: `${prefix}.tls.cert`,
      kind: "text",
      roles,
      default: "",
      group,
      help: "Path of the server's certificate, PEM.",
    },
    {
      name: `${prefix}.tls.key`,
      kind: "text",
      roles,
      default: "",
      group,
      help: "Path of the certificate's private key, PEM.",
    },
    {
      name: `${prefix}.tls.client-ca`,
      kind: "text",
      roles,
      default: "",
      group,
      help: "Path of the authority of clients' certificates; empty asks for none.",
    },
    {
      name: `${prefix}.tls.cipher-suites`,
      kind: "list",
      roles,
      default: "",
      group,
      help: "Cipher suites for TLS 1.2 and older, IANA's or OpenSSL's names; empty is the usual.",
    },
    {
      name: `${prefix}.tls.min-version`,
      kind: "choice",
      choices: ["", "1.0", "1.1", "1.2", "1.3"],
      roles,
      default: "",
      group,
      help: "Oldest version of TLS; empty is 1.2.",
    },
    {
      name: `${prefix}.tls.max-version`,
      kind: "choice",
      choices: ["", "1.0", "1.1", "1.2", "1.3"],
      roles,
      default: "",
      group,
      help: "Newest version of TLS; empty is the newest there is.",
    },
    {
      name: `${prefix}.tls.reload-interval`,
      kind: "duration",
      roles,
      default: "0s",
      group,
      help: "How often the files are read again; 0s reads them once.",
    },
  ] as const satisfies readonly Flag[];
}

/** The rows of an HTTP server's timeouts, with Jaeger's names. */
export function httpTimeoutFlags<const P extends string>(prefix: P, { group, roles }: Owner) {
  return [
    {
      name: `${prefix}.idle-timeout`,
      kind: "duration",
      roles,
      default: "0s",
      group,
      help: "How long an idle connection is kept; 0s is 75 s.",
    },
    {
      name: `${prefix}.read-timeout`,
      kind: "duration",
      roles,
      default: "0s",
      group,
      help: "How long a request may take to arrive; 0s is 60 s.",
    },
    {
      name: `${prefix}.read-header-timeout`,
      kind: "duration",
      roles,
      default: "2s",
      group,
      help: "How long the head of a request may take to arrive; 0s is as the whole.",
    },
  ] as const satisfies readonly Flag[];
}

/** The rows of a gRPC server's connections, with Jaeger's names. */
export function grpcAgeFlags<const P extends string>(prefix: P, { group, roles }: Owner) {
  return [
    {
      name: `${prefix}.max-connection-age`,
      kind: "duration",
      roles,
      default: "0s",
      group,
      help: "Age at which a connection is told to go, to find new servers; 0s is never.",
    },
    {
      name: `${prefix}.max-connection-age-grace`,
      kind: "duration",
      roles,
      default: "0s",
      group,
      help: "How long calls of such a connection may go on; 0s is to their end.",
    },
  ] as const satisfies readonly Flag[];
}
