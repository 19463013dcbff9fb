/** A server's TLS from its flags: files read at the start, and again from time to time. */

import { readFileSync } from "node:fs";
import { createSecureContext, getCiphers } from "node:tls";
import type { SecureVersion } from "node:tls";
import { SpoorError } from "../core/errors.ts";
import { contextSettings } from "../net/tls.ts";
import type { RenewableTls, TlsOptions } from "../net/tls.ts";
import type { Closers } from "./closers.ts";
import type { Config } from "./config.ts";
import type { Health } from "./health.ts";
import type { Log } from "./logging.ts";
import type { TlsPrefix } from "./server-settings.ts";

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  "1.0": "TLSv1",
  "1.1": "TLSv1.1",
  "1.2": "TLSv1.2",
  "1.3": "TLSv1.3",
};

/** What a server that wants TLS starts with. Throws SpoorError `config`. */
export function tlsOf(config: Config, prefix: TlsPrefix): TlsOptions {
  const name = `${prefix}.tls`;
  const cert = config[`${prefix}.tls.cert`];
  const key = config[`${prefix}.tls.key`];
  const clientCa = config[`${prefix}.tls.client-ca`];
  const suites = config[`${prefix}.tls.cipher-suites`];
  if (cert === "" || key === "") {
    throw new SpoorError("config", `--${name}.enabled needs --${name}.cert and --${name}.key`);
  }
  const minVersion = VERSIONS[config[`${prefix}.tls.min-version`]];
  const maxVersion = VERSIONS[config[`${prefix}.tls.max-version`]];
  const options: TlsOptions = {
    cert: fileOf(cert, `${name}.cert`),
    key: fileOf(key, `${name}.key`),
    ...(clientCa === "" ? {} : { clientCa: fileOf(clientCa, `${name}.client-ca`) }),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(suites.length === 0 ? {} : { ciphers: opensslNames(suites, name) }),
  };
  try {
    createSecureContext(contextSettings(options));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new SpoorError("config", `--${name}.*: ${reason}`, { cause });
  }
  return options;
}

function fileOf(path: string, flag: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new SpoorError("config", `--${flag}: ${reason}`, { cause });
  }
}

/**
 * Names as Go's crypto/tls has them (IANA's) become OpenSSL's, which leave away what is the same
 * in all: `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is `ECDHE-RSA-AES128-GCM-SHA256`.
 */
function opensslNames(suites: readonly string[], flag: string): string {
  const known = new Set(getCiphers());
  const names = suites.map((suite) => {
    if (known.has(suite.toLowerCase())) return suite;
    const name = suite
      .replace(/^TLS_/, "")
      .replace("_WITH_", "_")
      .replace(/^RSA_/, "")
      .replace(/AES_(\d+)/, "AES$1")
      .replace("3DES_EDE_CBC", "DES_CBC3")
      .replace("_CBC_SHA", "_SHA")
      .replace("CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305")
      .replaceAll("_", "-");
    if (known.has(name.toLowerCase())) return name;
    const text = `--${flag}.cipher-suites: "${suite}" is no cipher suite this program has`;
    throw new SpoorError("config", text);
  });
  return names.join(":");
}

/** What keeping a certificate fresh needs of a role. */
export interface TlsKeeping {
  readonly config: Config;
  readonly context: { readonly log: Log };
  readonly health: Health;
  readonly closers: Closers;
}

/** Reads the files again every `reload-interval`; a bad one keeps the old, and health says so. */
export function renewTls(parts: TlsKeeping, prefix: TlsPrefix, server: RenewableTls): void {
  const { closers, config, context, health } = parts;
  const everyMs = config[`${prefix}.tls.reload-interval`];
  if (everyMs === 0) return;
  let failure: string | undefined;
  let current = identityOf(tlsOf(config, prefix));
  health.addNotes(() => (failure === undefined ? [] : [failure]));
  const timer = setInterval(() => {
    try {
      const fresh = tlsOf(config, prefix);
      failure = undefined;
      const identity = identityOf(fresh);
      if (identity === current) return;
      current = identity;
      server.renewTls(fresh);
      context.log.info({ server: prefix }, "a new certificate is in use");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failure = `the certificate of ${prefix} is not renewed: ${reason}`;
    }
  }, everyMs);
  timer.unref();
  closers.add(() => {
    clearInterval(timer);
    return Promise.resolve();
  });
}

function identityOf({ cert, clientCa, key }: TlsOptions): string {
  return [cert, key, clientCa].map(String).join("\n");
}
