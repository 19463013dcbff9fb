/** TLS towards servers that we call, from the settings: files are read once, at the start. */

import { readFileSync } from "node:fs";
import { SpoorError } from "../core/errors.ts";
import type { GrpcTls } from "../net/grpc-connection.ts";
import type { Config } from "./config.ts";

const PREFIX = "reporter.grpc.tls";
const FILES = ["ca", "cert", "key"] as const;

/** Undefined when it is off. Throws `config` for files that cannot be read. */
export function clientTls(config: Config): GrpcTls | undefined {
  const serverName = config[`${PREFIX}.server-name`];
  const skipHostVerify = config[`${PREFIX}.skip-host-verify`];
  const given = FILES.filter((name) => config[`${PREFIX}.${name}`] !== "");
  if (!config[`${PREFIX}.enabled`]) {
    if (given.length === 0 && serverName === "" && !skipHostVerify) return undefined;
    const text = `${PREFIX}.* options cannot be used when ${PREFIX}.enabled is false`;
    throw new SpoorError("config", text);
  }
  if (given.includes("cert") !== given.includes("key")) {
    throw new SpoorError("config", `${PREFIX}.cert and ${PREFIX}.key need each other`);
  }
  const files = given.map((name) => [name, contentOf(config[`${PREFIX}.${name}`], name)] as const);
  return {
    ...Object.fromEntries(files),
    ...(serverName === "" ? {} : { serverName }),
    skipHostVerify,
  };
}

function contentOf(path: string, name: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SpoorError("config", `--${PREFIX}.${name} ${path}: ${reason}`, { cause });
  }
}
