// `spoor demo`: a small shop whose traces show what tracing is for, a minute after the start.
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { initTracer } from "../client/node/index.ts";
import type { Tracer } from "../client/tracer.ts";
import { SpoorError } from "../core/errors.ts";
import { demoPage } from "./demo-page.ts";
import { DEMO_SERVICES, startServices } from "./demo-services.ts";
import type { DemoService, PlacedOrder, RunningServices } from "./demo-services.ts";
import { DEMO_FAULTS } from "./demo-simulation.ts";
import type { DemoFault, Simulation } from "./demo-simulation.ts";

export interface DemoOptions {
  /** Where spans go: OTLP over HTTP. */
  readonly endpoint: string;
  /** Where the page's links to traces lead. */
  readonly ui: string;
  readonly host: string;
  /** The page's port; 0 picks a free one. */
  readonly port: number;
  /** Orders a second that nobody clicks. */
  readonly load: number;
  readonly faults: readonly DemoFault[];
  /** Multiplies every latency. Default 1. */
  readonly slowness?: number;
  /** Numbers in [0, 1); the same numbers give the same latencies. */
  readonly random?: () => number;
}

export interface RunningDemo {
  /** The page. */
  readonly url: string;
  /** How many orders were placed or failed so far. */
  readonly placed: () => number;
  setFault(fault: DemoFault, on: boolean): void;
  /** Stops the load, closes every server and sends the last spans. */
  close(): Promise<void>;
}

export const DEMO_DEFAULTS: DemoOptions = {
  endpoint: "http://localhost:4318/v1/traces",
  ui: "http://localhost:16686",
  host: "127.0.0.1",
  port: 8080,
  load: 2,
  faults: [],
};

const ORDERS_LISTED = 20;
/** Orders of the load generator that may be under way; beyond it, a second's are left out. */
const LOAD_IN_FLIGHT = 200;
/** How often the load generator catches up with its rate. */
const LOAD_TICK_MS = 50;

function isFault(name: string): name is DemoFault {
  return Object.hasOwn(DEMO_FAULTS, name);
}

/** Reads `spoor demo`'s arguments; throws a SpoorError that says what is wrong. */
export function parseDemoArgs(args: readonly string[], defaults = DEMO_DEFAULTS): DemoOptions {
  const text = { type: "string" } as const;
  const options = {
    endpoint: text,
    ui: text,
    host: text,
    port: text,
    load: text,
    fault: { type: "string", multiple: true },
  } as const;
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options, strict: true }));
  } catch (error) {
    throw new SpoorError("config", `demo: ${(error as Error).message}`, { cause: error });
  }
  const number = (name: "port" | "load", otherwise: number): number => {
    const value = values[name] === undefined ? otherwise : Number(values[name]);
    if (value >= 0) return value;
    throw new SpoorError("config", `demo: --${name} must be a number, not ${values[name]}`);
  };
  const faults = values.fault ?? [];
  for (const fault of faults) {
    if (isFault(fault)) continue;
    const known = Object.keys(DEMO_FAULTS).join(", ");
    throw new SpoorError("config", `demo: unknown fault ${fault}; there are ${known}`);
  }
  return {
    endpoint: values.endpoint ?? defaults.endpoint,
    ui: (values.ui ?? defaults.ui).replace(/\/$/, ""),
    host: values.host ?? defaults.host,
    port: number("port", defaults.port),
    load: number("load", defaults.load),
    faults: faults.filter(isFault),
  };
}

function makeTracers(endpoint: string): Record<DemoService, Tracer> {
  const tracers = DEMO_SERVICES.map((serviceName) => [
    serviceName,
    initTracer(
      {
        serviceName,
        sampler: { type: "const", param: 1 },
        reporter: { collectorEndpoint: endpoint, flushIntervalMs: 500 },
        propagation: ["w3c", "jaeger"],
      },
      { tags: { "deployment.environment": "demo" } },
    ),
  ]);
  return Object.fromEntries(tracers) as Record<DemoService, Tracer>;
}

/** The shop while it runs: page, services, load. */
class Demo implements RunningDemo {
  readonly #options: DemoOptions;
  readonly #simulation: Simulation;
  readonly #tracers: Record<DemoService, Tracer>;
  readonly #orders: PlacedOrder[] = [];
  #placed = 0;
  #inFlight = 0;
  #services: RunningServices | null = null;
  #page: Server | null = null;
  #load: NodeJS.Timeout | undefined;
  url = "";

  constructor(options: DemoOptions) {
    this.#options = options;
    this.#simulation = {
      faults: new Set(options.faults),
      random: options.random ?? Math.random,
      slowness: options.slowness ?? 1,
    };
    this.#tracers = makeTracers(options.endpoint);
  }

  async start(): Promise<void> {
    const { host, port, load } = this.#options;
    const onOrder = (order: PlacedOrder): void => {
      this.#placed++;
      this.#orders.unshift(order);
      this.#orders.length = Math.min(this.#orders.length, ORDERS_LISTED);
    };
    this.#services = await startServices(this.#tracers, this.#simulation, { host, onOrder });
    const page = createServer((request, response) => this.#answer(request, response));
    this.#page = page;
    await new Promise<void>((resolve, reject) => {
      page.once("error", (cause) => {
        const hint = "--port names another (npm start: DEMO_PORT)";
        reject(new SpoorError("in-use", `demo: ${cause.message}; ${hint}`, { cause }));
      });
      page.listen(port, host, resolve);
    });
    const address = page.address() as AddressInfo;
    this.url = `http://${host === "127.0.0.1" ? "localhost" : host}:${address.port}/`;
    if (load > 0) this.#startLoad(load);
  }

  #startLoad(perSecond: number): void {
    const startedMs = performance.now();
    let asked = 0;
    this.#load = setInterval(() => {
      const due = Math.floor(((performance.now() - startedMs) / 1_000) * perSecond);
      for (; asked < due; asked++) {
        if (this.#inFlight < LOAD_IN_FLIGHT) void this.#order(null);
      }
    }, LOAD_TICK_MS);
  }

  /** Places an order at the frontend; what fails is seen in its trace. */
  async #order(customer: string | null): Promise<void> {
    const query = customer === null ? "" : `?customer=${encodeURIComponent(customer)}`;
    this.#inFlight++;
    try {
      const response = await fetch(`${this.#services!.urls.frontend}/order${query}`);
      await response.text();
    } catch {
      // The shop is closing.
    } finally {
      this.#inFlight--;
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://page");
    const route = `${request.method} ${pathname}`;
    if (route === "GET /") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      response.end(demoPage(this.#options.ui));
    } else if (route === "GET /state") {
      response.writeHead(200, { "content-type": "application/json" });
      const { load, ui } = this.#options;
      const faults = [...this.#simulation.faults];
      response.end(
        JSON.stringify({ placed: this.#placed, load, ui, faults, orders: this.#orders }),
      );
    } else if (route === "POST /order") {
      void this.#order(searchParams.get("customer")).then(() => response.writeHead(204).end());
    } else if (route === "POST /fault" && isFault(searchParams.get("name") ?? "")) {
      this.setFault(searchParams.get("name") as DemoFault, searchParams.get("on") === "true");
      response.writeHead(204).end();
    } else {
      response.writeHead(404).end();
    }
  }

  placed = (): number => this.#placed;

  setFault(fault: DemoFault, on: boolean): void {
    if (on) this.#simulation.faults.add(fault);
    else this.#simulation.faults.delete(fault);
  }

  async close(): Promise<void> {
    clearInterval(this.#load);
    this.#page?.closeAllConnections();
    this.#page?.close();
    await this.#services?.close();
    await Promise.all(
      Object.values(this.#tracers).map(
        (tracer) => new Promise<void>((resolve) => tracer.close(() => resolve())),
      ),
    );
  }
}

/** Starts the shop; rejects when its port is taken. */
export async function runDemo(options: DemoOptions): Promise<RunningDemo> {
  const demo = new Demo(options);
  try {
    await demo.start();
  } catch (error) {
    await demo.close();
    throw error;
  }
  return demo;
}
