/** Settings that several servers have alike, as their options. */

import { SpoorError } from "../core/errors.ts";
import type { Config } from "./config.ts";

/** Flags' names before `.tls.enabled`, of every server that can have TLS. */
export type TlsPrefix =
  | "admin.http"
  | "collector.grpc"
  | "collector.http"
  | "collector.otlp.grpc"
  | "collector.otlp.http"
  | "collector.zipkin"
  | "query.http";

/** Whether TLS is on. Throws SpoorError `config` when it is off and set up nevertheless. */
export function wantsTls(config: Config, prefix: TlsPrefix): boolean {
  const name = `${prefix}.tls`;
  if (config[`${prefix}.tls.enabled`]) return true;
  const texts = [
    config[`${prefix}.tls.cert`],
    config[`${prefix}.tls.key`],
    config[`${prefix}.tls.client-ca`],
    ...config[`${prefix}.tls.cipher-suites`],
    config[`${prefix}.tls.min-version`],
    config[`${prefix}.tls.max-version`],
  ];
  if (texts.every((text) => text === "") && config[`${prefix}.tls.reload-interval`] === 0) {
    return false;
  }
  throw new SpoorError("config", `${name}.* options cannot be used when ${name}.enabled is false`);
}

/** The options that `httpTimeoutFlags` set. */
export function httpTimeouts(
  config: Config,
  prefix: "collector.http-server" | "collector.otlp.http",
): { readonly receiveMs?: number; readonly headersMs?: number; readonly idleMs?: number } {
  const receiveMs = config[`${prefix}.read-timeout`];
  const headersMs = config[`${prefix}.read-header-timeout`];
  const idleMs = config[`${prefix}.idle-timeout`];
  return {
    ...(receiveMs === 0 ? {} : { receiveMs }),
    ...(headersMs === 0 ? {} : { headersMs }),
    ...(idleMs === 0 ? {} : { idleMs }),
  };
}

/** The options of messages and connections over gRPC. */
export function grpcSettings(
  config: Config,
  prefix: "collector.grpc-server" | "collector.otlp.grpc",
): { readonly messageBytes: number; readonly maxAgeMs?: number; readonly ageGraceMs?: number } {
  const maxAgeMs = config[`${prefix}.max-connection-age`];
  const ageGraceMs = config[`${prefix}.max-connection-age-grace`];
  return {
    messageBytes: config[`${prefix}.max-message-size`],
    ...(maxAgeMs === 0 ? {} : { maxAgeMs }),
    ...(ageGraceMs === 0 ? {} : { ageGraceMs }),
  };
}
