/** Flags of the query API and the UI. */

import type { Flag } from "./flag.ts";
import { tlsFlags } from "./flags-tls.ts";

/** Rows of the table of flags. */
export const QUERY_FLAGS = [
  {
    name: "query.http-server.host-port",
    kind: "host-port",
    roles: ["all-in-one"],
    default: ":16686",
    group: "query",
    help: "HTTP API and UI.",
  },
  {
    name: "query.grpc-server.host-port",
    kind: "host-port",
    roles: ["all-in-one"],
    default: ":16685",
    group: "query",
    notYet: true,
    help: "gRPC query API.",
  },
  {
    name: "query.base-path",
    kind: "text",
    roles: ["all-in-one"],
    default: "/",
    group: "query",
    help: "Prefix of every path, as behind a proxy; begins with / and does not end with it.",
  },
  {
    name: "query.max-clock-skew-adjustment",
    kind: "duration",
    roles: ["all-in-one"],
    default: "0s",
    group: "query",
    help: "Largest correction of a span's times to fit its parent; 0s leaves them.",
  },
  {
    name: "query.additional-headers",
    kind: "list",
    roles: ["all-in-one"],
    default: "",
    group: "query",
    help: "Headers (Name: value) added to the page and files of the UI; they replace its own.",
  },
  {
    name: "query.static-files",
    kind: "text",
    roles: ["all-in-one"],
    default: "",
    group: "query",
    help: "Folder of UI files to serve instead of the ones that come along.",
  },
  {
    name: "query.ui-config",
    kind: "text",
    roles: ["all-in-one"],
    default: "",
    group: "query",
    help: "UI configuration file, .json or .js.",
  },
  {
    name: "query.bearer-token-propagation",
    kind: "boolean",
    roles: ["all-in-one"],
    default: "false",
    group: "query",
    notYet: true,
    help: "Pass the caller's bearer token on to the store.",
  },
  {
    name: "query.enable-tracing",
    kind: "boolean",
    roles: ["all-in-one"],
    default: "false",
    group: "query",
    notYet: true,
    help: "Trace the query service itself.",
  },
  {
    name: "query.log-static-assets-access",
    kind: "boolean",
    roles: ["all-in-one"],
    default: "false",
    group: "query",
    notYet: true,
    help: "Log requests for UI files.",
  },
  ...tlsFlags("query.http", { roles: ["all-in-one"], group: "query" }),
] as const satisfies readonly Flag[];
