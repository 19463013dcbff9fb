/** What every role is made of: health, counters, and servers that start and stop in order. */

import { flushCompileCache } from "node:module";
import { systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { CounterTable } from "../base/counters.ts";
import type { RenewableTls, TlsOptions } from "../net/tls.ts";
import { bannerText } from "./banner.ts";
import type { BannerRow, Place, ServerName } from "./banner.ts";
import { Closers } from "./closers.ts";
import type { Config } from "./config.ts";
import type { HostPort } from "./flag-values.ts";
import { Health } from "./health.ts";
import type { Log } from "./logging.ts";
import { wantsTls } from "./server-settings.ts";
import type { TlsPrefix } from "./server-settings.ts";
import type { Version } from "./version.ts";

/** What a role gets besides its settings. */
export interface RoleContext {
  readonly log: Log;
  readonly version: Version;
  /** For settings that name a variable. */
  readonly env: { readonly [name: string]: string | undefined };
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** Something that listens, over TCP or UDP. */
export interface RoleServer extends Place {
  /** Takes nothing new and finishes what is in flight, for at most `drainMs`. */
  close(drainMs?: number): Promise<void>;
}

/** Where a server is to listen, and with what certificate. */
export interface SecurePlace extends HostPort {
  readonly tls?: TlsOptions;
}

/** A role that serves. */
export interface RunningRole {
  /** A few lines for a person: where everything is. */
  readonly banner: string;
  /** Where each server listens, by what it serves; absent when it is off. */
  readonly servers: { readonly [name in ServerName]?: RoleServer };
  /** Takes nothing new, finishes what is in flight, makes it durable, closes. */
  close(): Promise<void>;
}

/** What a role's composition tells once everything serves. */
export interface Composed {
  /** Last lines of the banner: where spans go. */
  readonly rows: readonly BannerRow[];
  /** Fields for the log line at the start. */
  readonly facts: object;
  /** Fields for the log line after the stop. */
  readonly stopped?: () => object;
}

/** The parts every role has; a composition adds its own to them. */
export class RoleParts {
  readonly config: Config;
  readonly context: RoleContext;
  readonly clock: Clock;
  readonly counters = new CounterTable();
  readonly health: Health;
  readonly closers = new Closers();
  readonly servers: { [name in ServerName]?: RoleServer } = {};

  constructor(config: Config, context: RoleContext) {
    this.config = config;
    this.context = context;
    this.clock = context.clock ?? systemClock;
    this.health = new Health(this.clock);
  }

  /** Told of every error that is a bug of ours. */
  readonly onFault = (error: unknown): void => {
    this.context.log.error({ err: error }, "a request failed through a bug of ours");
  };

  /** Starts one server unless its host-port is empty, and has it drained at the stop. */
  async serve(
    name: ServerName,
    place: HostPort | undefined,
    start: (at: HostPort) => Promise<RoleServer>,
  ): Promise<void> {
    if (place === undefined) return;
    this.#started(name, await start(this.#at(place)));
  }

  /** The same of a server that has TLS when the flags with this prefix say so. */
  async serveSecurely(
    name: ServerName,
    tlsPrefix: TlsPrefix,
    place: HostPort | undefined,
    start: (at: SecurePlace) => Promise<RoleServer & RenewableTls>,
  ): Promise<void> {
    if (place === undefined) return;
    const at = this.#at(place);
    if (!wantsTls(this.config, tlsPrefix)) {
      this.#started(name, await start(at));
      return;
    }
    const { renewTls, tlsOf } = await import("./server-tls.ts");
    const server = await start({ ...at, tls: tlsOf(this.config, tlsPrefix) });
    this.#started(name, server);
    renewTls(this, tlsPrefix, server);
  }

  #at(place: HostPort): HostPort {
    return { host: place.host === "" ? this.config.host : place.host, port: place.port };
  }

  #started(name: ServerName, server: RoleServer): void {
    this.servers[name] = server;
    const drainMs = this.config["shutdown-timeout"];
    this.closers.add(() => server.close(drainMs));
  }
}

/** Starts what `compose` makes; rejects, with all closed again, when a part cannot start. */
export async function startRole(
  config: Config,
  context: RoleContext,
  compose: (parts: RoleParts) => Promise<Composed>,
): Promise<RunningRole> {
  const parts = new RoleParts(config, context);
  try {
    return await composed(parts, compose);
  } catch (error) {
    await parts.closers.closeAll();
    throw error;
  }
}

async function composed(
  parts: RoleParts,
  compose: (parts: RoleParts) => Promise<Composed>,
): Promise<RunningRole> {
  const { clock, closers, context, health, servers } = parts;
  const startedMs = clock.monotonicMs();
  const { rows, facts, stopped } = await compose(parts);
  health.ready();
  const startMs = Math.round(clock.monotonicMs() - startedMs);
  context.log.info({ startMs, ...facts }, "serving");
  // A server ends by a signal more often than by itself: keep the compiled code now.
  flushCompileCache();
  return {
    banner: bannerText({ version: context.version.version, servers, rows }),
    servers,
    async close() {
      health.unavailable();
      await closers.closeAll();
      context.log.info({ ...stopped?.() }, "stopped");
    },
  };
}
