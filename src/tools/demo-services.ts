// The demo's six services: a frontend, orders, catalog, inventory, payments and shipping.
import { Agent, createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tracedListener } from "../client/node/instrument-http.ts";
import type { Tracer } from "../client/tracer.ts";
import { DemoLock, callService, runQuery, takeAbout } from "./demo-simulation.ts";
import type { Reply, Simulation } from "./demo-simulation.ts";

export const DEMO_SERVICES = [
  "frontend",
  "orders",
  "catalog",
  "inventory",
  "payments",
  "shipping",
] as const;

export type DemoService = (typeof DEMO_SERVICES)[number];

/** Answers one path of a service. */
type Handler = (query: URLSearchParams) => Promise<Reply>;

/** What a service works with. */
interface Workplace {
  readonly tracer: Tracer;
  readonly simulation: Simulation;
  /** Calls another service. */
  readonly call: (peer: DemoService, path: string) => Promise<Reply>;
}

const CUSTOMERS = ["Ada", "Grace", "Edsger", "Barbara"];
const PRODUCTS = ["lamp", "chair", "desk", "shelf", "rug", "clock"];
/** Attempts of a charge when all is well, and in a retry storm. */
const PATIENT_ATTEMPTS = 2;
const STORM_ATTEMPTS = 8;

function ok(body: string): Reply {
  return { status: 200, body };
}

function failed(body: string): Reply {
  return { status: 503, body };
}

/** Some products of an order, by its number. */
function productsOf(order: number): readonly string[] {
  const count = 2 + (order % 5);
  return Array.from({ length: count }, (_, i) => PRODUCTS[(order + i) % PRODUCTS.length]!);
}

/** The frontend's one path; `onOrder` hears of every order's trace. */
function frontend(place: Workplace, onOrder: (order: PlacedOrder) => void): Handler {
  let orders = 0;
  return async (query) => {
    const order = ++orders;
    const customer = query.get("customer") ?? CUSTOMERS[order % CUSTOMERS.length]!;
    const span = place.tracer.activeSpan();
    span?.setBaggageItem("customer", customer);
    span?.setTag("order", order);
    const started = performance.now();
    const reply = await place.call("orders", `/place?order=${order}`);
    const durationMs = Math.round(performance.now() - started);
    const traceId = span?.context().traceIdHex ?? "";
    onOrder({ order, customer, status: reply.status, durationMs, traceId });
    return { status: reply.status, body: JSON.stringify({ order, customer, durationMs, traceId }) };
  };
}

/** An order as the page lists it. */
export interface PlacedOrder {
  readonly order: number;
  readonly customer: string;
  readonly status: number;
  readonly durationMs: number;
  readonly traceId: string;
}

function ordersService({ call, tracer, simulation }: Workplace): Handler {
  return async (query) => {
    const order = Number(query.get("order"));
    const products = productsOf(order).join(",");
    const customer = tracer.activeSpan()?.getBaggageItem("customer");
    tracer.activeSpan()?.log({ event: "order received", customer, products });
    await call("catalog", `/products?ids=${products}`);
    const [reserved, quoted] = await Promise.all([
      call("inventory", `/reserve?ids=${products}`),
      call("shipping", "/quote"),
    ]);
    if (reserved.status !== 200 || quoted.status !== 200) return failed("not available");
    const charged = await call("payments", `/charge?order=${order}`);
    if (charged.status !== 200) return failed("not paid");
    const statement = "INSERT INTO orders (id, customer) VALUES (?, ?)";
    await runQuery(tracer, simulation, { statement, medianMs: 6, write: true });
    return ok("placed");
  };
}

function catalog({ tracer, simulation }: Workplace): Handler {
  return async (query) => {
    const ids = (query.get("ids") ?? "").split(",");
    if (!simulation.faults.has("n-plus-one")) {
      const marks = ids.map(() => "?").join(", ");
      const statement = `SELECT * FROM products WHERE id IN (${marks})`;
      await runQuery(tracer, simulation, { statement, medianMs: 5 });
      return ok(ids.join());
    }
    for (const id of ids) {
      const statement = `SELECT * FROM products WHERE id = '${id}'`;
      await runQuery(tracer, simulation, { statement, medianMs: 5 });
      const prices = `SELECT price FROM prices WHERE product = '${id}'`;
      await runQuery(tracer, simulation, { statement: prices, medianMs: 5 });
    }
    return ok(ids.join());
  };
}

function inventory({ tracer, simulation }: Workplace): Handler {
  const lock = new DemoLock();
  const statement = "UPDATE stock SET reserved = reserved + 1 WHERE product = ?";
  return async () => {
    const write = (): Promise<void> =>
      runQuery(tracer, simulation, { statement, medianMs: 8, write: true });
    if (!simulation.faults.has("lock")) {
      await write();
      return ok("reserved");
    }
    await lock.hold(tracer.activeSpan(), async () => {
      await write();
      await takeAbout(simulation, 120);
    });
    return ok("reserved");
  };
}

function payments({ tracer, simulation }: Workplace): Handler {
  return async () => {
    const storm = simulation.faults.has("retry-storm");
    const attempts = storm ? STORM_ATTEMPTS : PATIENT_ATTEMPTS;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const span = tracer.startSpan("charge card", {
        childOf: tracer.activeSpan(),
        tags: { "span.kind": "client", "peer.service": "card-gateway", attempt },
      });
      await takeAbout(simulation, 25);
      const fails = simulation.random() < (storm ? 0.85 : 0.02);
      if (fails) {
        span.setTag("error", true);
        span.log({ event: "error", "error.kind": "timeout", message: "gateway is overloaded" });
      }
      span.finish();
      if (!fails) return ok("charged");
    }
    return failed("gateway is overloaded");
  };
}

function shipping({ tracer, simulation }: Workplace): Handler {
  return async () => {
    const statement = "SELECT * FROM rates WHERE zone = ? AND weight < ?";
    await runQuery(tracer, simulation, { statement, medianMs: 7 });
    const span = tracer.startSpan("choose carrier", { childOf: tracer.activeSpan() });
    await takeAbout(simulation, 3);
    span.setTag("carrier", simulation.random() < 0.5 ? "van" : "bicycle").finish();
    return ok("quoted");
  };
}

/** A running set of services. */
export interface RunningServices {
  /** Where each service listens. */
  readonly urls: Readonly<Record<DemoService, string>>;
  close(): Promise<void>;
}

function listenOn(server: Server, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, () => {
      const { port } = server.address() as AddressInfo;
      resolve(`http://${host}:${port}`);
    });
  });
}

/** A server that answers every path with one handler; what it throws becomes a 500. */
function serve(tracer: Tracer, handler: Handler): Server {
  const listener = tracedListener(tracer, (request: IncomingMessage, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://service");
    tracer.activeSpan()?.setOperationName(`${request.method} ${pathname}`);
    handler(searchParams).then(
      ({ status, body }) => response.writeHead(status).end(body),
      (error) => {
        tracer.activeSpan()?.log({ event: "error", "error.object": error });
        response.writeHead(500).end();
      },
    );
  });
  return createServer(listener);
}

function handlerFor(
  name: DemoService,
  place: Workplace,
  onOrder: (order: PlacedOrder) => void,
): Handler {
  switch (name) {
    case "frontend":
      return frontend(place, onOrder);
    case "orders":
      return ordersService(place);
    case "catalog":
      return catalog(place);
    case "inventory":
      return inventory(place);
    case "payments":
      return payments(place);
    case "shipping":
      return shipping(place);
  }
}

/** Starts all six on free ports of `host`, each with a tracer of its own. */
export async function startServices(
  tracers: Readonly<Record<DemoService, Tracer>>,
  simulation: Simulation,
  options: { readonly host: string; readonly onOrder: (order: PlacedOrder) => void },
): Promise<RunningServices> {
  const agent = new Agent({ keepAlive: true });
  const urls = {} as Record<DemoService, string>;
  const servers: Server[] = [];
  for (const name of DEMO_SERVICES) {
    const tracer = tracers[name];
    const call: Workplace["call"] = (peer, path) =>
      callService(tracer, agent, urls[peer] + path, peer);
    const handler = handlerFor(name, { tracer, simulation, call }, options.onOrder);
    const server = serve(tracer, handler);
    servers.push(server);
    urls[name] = await listenOn(server, options.host);
  }
  const close = async (): Promise<void> => {
    agent.destroy();
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    }
  };
  return { urls, close };
}
