/** The all-in-one role: receivers, pipeline, store and query API in one process. */

import { flushCompileCache } from "node:module";
import { hostname } from "node:os";
import { systemClock } from "../base/clock.ts";
import type { Clock } from "../base/clock.ts";
import { CounterTable } from "../base/counters.ts";
import type { Sink, Stage } from "../core/flow.ts";
import type { HttpServer } from "../net/http-server.ts";
import { countStage } from "../pipeline/count.ts";
import { enrichStage } from "../pipeline/enrich.ts";
import { Ledger } from "../pipeline/ledger.ts";
import { queueStage } from "../pipeline/queue.ts";
import { sampleStage } from "../pipeline/sample.ts";
import { sanitizeStage } from "../pipeline/sanitize.ts";
import { storeSink, throughStages } from "../pipeline/stages.ts";
import { startAdmin } from "./admin.ts";
import { bannerText } from "./banner.ts";
import { Closers } from "./closers.ts";
import type { Config } from "./config.ts";
import type { HostPort } from "./flag-values.ts";
import { Health } from "./health.ts";
import type { Log } from "./logging.ts";
import { headersOf, tagsOf } from "./pair-texts.ts";
import { openStore } from "./stores.ts";
import type { OpenedStore } from "./stores.ts";
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

/** A role that serves. */
export interface RunningRole {
  /** A few lines for a person: where everything is. */
  readonly banner: string;
  /** Where each server listens, by what it serves; absent when it is off. */
  readonly servers: { readonly [name in ServerName]?: HttpServer };
  /** Takes nothing new, finishes what is in flight, makes it durable, closes. */
  close(): Promise<void>;
}

export type ServerName = "admin" | "otlpHttp" | "otlpGrpc" | "query";

const NS_PER_MS = 1_000_000;

/** Starts everything; rejects, with all closed again, when a part cannot start. */
export async function startAllInOne(config: Config, context: RoleContext): Promise<RunningRole> {
  const closers = new Closers();
  try {
    return await new AllInOne(config, context, closers).start();
  } catch (error) {
    await closers.closeAll();
    throw error;
  }
}

class AllInOne {
  readonly #config: Config;
  readonly #context: RoleContext;
  readonly #closers: Closers;
  readonly #clock: Clock;
  readonly #counters = new CounterTable();
  readonly #ledger = new Ledger(this.#counters);
  readonly #health: Health;
  readonly #servers: { [name in ServerName]?: HttpServer } = {};

  constructor(config: Config, context: RoleContext, closers: Closers) {
    this.#config = config;
    this.#context = context;
    this.#closers = closers;
    this.#clock = context.clock ?? systemClock;
    this.#health = new Health(this.#clock);
  }

  /** Admin first, so that health can be asked; the doors for spans last. */
  async start(): Promise<RunningRole> {
    const { log } = this.#context;
    const startedMs = this.#clock.monotonicMs();
    await this.#startAdmin();
    const opened = await this.#openStore();
    await this.#startQuery(opened);
    await this.#startReceivers(this.#pipeline(opened));
    this.#health.ready();
    const startMs = Math.round(this.#clock.monotonicMs() - startedMs);
    log.info({ startMs, store: opened.store.can.name }, "serving");
    // A server ends by a signal more often than by itself: keep the compiled code now.
    flushCompileCache();
    const { version } = this.#context.version;
    return {
      banner: bannerText({ version, servers: this.#servers, place: opened.place }),
      servers: this.#servers,
      close: () => this.#close(),
    };
  }

  /** The stages every span goes through, in order. */
  #pipeline({ store }: OpenedStore): Sink {
    const config = this.#config;
    const counters = this.#counters;
    const ledger = this.#ledger;
    const stages: Stage[] = [
      countStage({ counters, ledger, clock: this.#clock }),
      enrichStage(tagsOf(config["collector.tags"], this.#context.env)),
      sanitizeStage(),
      sampleStage({
        ratio: config["downsampling.ratio"],
        salt: config["downsampling.hashsalt"],
        ledger,
      }),
      queueStage({ counters, host: hostname() }),
    ];
    return throughStages(stages, storeSink(store));
  }

  async #openStore(): Promise<OpenedStore> {
    const { log } = this.#context;
    const opened = await openStore({
      config: this.#config,
      counters: this.#counters,
      clock: this.#clock,
      log,
    });
    this.#closers.add(opened.close);
    this.#health.addNotes(opened.notes);
    return opened;
  }

  async #startAdmin(): Promise<void> {
    const config = this.#config;
    const metricsRoute =
      config["metrics-backend"] === "none" ? undefined : config["metrics-http-route"];
    await this.#serve("admin", config["admin.http.host-port"], (at) =>
      startAdmin({
        ...at,
        health: this.#health,
        counters: this.#counters,
        version: this.#context.version,
        metricsRoute,
        onFault: this.#onFault,
      }),
    );
  }

  async #startReceivers(sink: Sink): Promise<void> {
    const config = this.#config;
    if (!config["collector.otlp.enabled"]) return;
    const shared = { sink, rejections: this.#ledger, counters: this.#counters };
    const cors = {
      origins: config["collector.otlp.http.cors.allowed-origins"],
      headers: config["collector.otlp.http.cors.allowed-headers"],
    };
    await this.#serve("otlpHttp", config["collector.otlp.http.host-port"], async (at) => {
      const { startOtlpHttp } = await import("../receivers/otlp/http.ts");
      return startOtlpHttp({ ...at, ...shared, cors, onFault: this.#onFault });
    });
    const messageBytes = config["collector.otlp.grpc.max-message-size"];
    await this.#serve("otlpGrpc", config["collector.otlp.grpc.host-port"], async (at) => {
      const { startOtlpGrpc } = await import("../receivers/otlp/grpc.ts");
      return startOtlpGrpc({ ...at, ...shared, messageBytes, onFault: this.#onFault });
    });
  }

  async #startQuery({ store }: OpenedStore): Promise<void> {
    const config = this.#config;
    await this.#serve("query", config["query.http-server.host-port"], async (at) => {
      const [{ startQueryServer }, { QueryService }] = await Promise.all([
        import("../api/query-server.ts"),
        import("../query/query-service.ts"),
      ]);
      return startQueryServer({
        ...at,
        query: new QueryService({ store, counters: this.#counters, clock: this.#clock }),
        counters: this.#counters,
        clock: this.#clock,
        basePath: config["query.base-path"],
        maxClockSkewNs: config["query.max-clock-skew-adjustment"] * NS_PER_MS,
        additionalHeaders: headersOf(config["query.additional-headers"]),
        onFault: this.#onFault,
      });
    });
  }

  /** Starts one server unless its host-port is empty, and has it drained at the stop. */
  async #serve(
    name: ServerName,
    place: HostPort | undefined,
    start: (at: HostPort) => Promise<HttpServer>,
  ): Promise<void> {
    if (place === undefined) return;
    const host = place.host === "" ? this.#config.host : place.host;
    const server = await start({ host, port: place.port });
    this.#servers[name] = server;
    const drainMs = this.#config["shutdown-timeout"];
    this.#closers.add(() => server.close(drainMs));
  }

  readonly #onFault = (error: unknown): void => {
    this.#context.log.error({ err: error }, "a request failed through a bug of ours");
  };

  async #close(): Promise<void> {
    this.#health.unavailable();
    await this.#closers.closeAll();
    this.#context.log.info({ inFlight: this.#ledger.inFlight }, "stopped");
  }
}
