/** What servers need for TLS, and how it is said to Node. */

import type { SecureContextOptions, SecureVersion, TlsOptions as NodeTlsOptions } from "node:tls";

/** Certificate and key, PEM; `clientCa` asks clients for certificates signed by it. */
export interface TlsOptions {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly clientCa?: string | Buffer;
  /** Default TLSv1.2. */
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  /** OpenSSL's names with colons between. */
  readonly ciphers?: string;
}

/** A server whose certificate can be changed while it runs: new connections get the new one. */
export interface RenewableTls {
  renewTls(tls: TlsOptions): void;
}

/** For `createServer`. */
export function serverTlsSettings(tls: TlsOptions): NodeTlsOptions {
  const settings = contextSettings(tls);
  return tls.clientCa === undefined ? settings : { ...settings, requestCert: true };
}

/** For `createServer` and `setSecureContext`. */
export function contextSettings(tls: TlsOptions): SecureContextOptions {
  const { cert, ciphers, clientCa, key, maxVersion, minVersion = "TLSv1.2" } = tls;
  return {
    cert,
    key,
    minVersion,
    ...(clientCa === undefined ? {} : { ca: clientCa }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(ciphers === undefined ? {} : { ciphers }),
  };
}
