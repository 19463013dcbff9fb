/** Draws one trace of the bench's dataset: which spans, whose children, and when they ran. */

import type { Random } from "./random.ts";
import type { Operation, Role, Service } from "./shape.ts";

/** A span before it is encoded; times are nanoseconds since the dataset's first moment. */
export interface Draft {
  readonly service: number;
  readonly instance: number;
  readonly operation: Operation;
  readonly parent: number;
  readonly startNs: number;
  readonly durationNs: number;
  readonly failed: boolean;
  readonly spanId: Uint8Array;
}

export interface DraftTrace {
  readonly traceId: Uint8Array;
  readonly spans: readonly Draft[];
}

const errorShare = 0.02;
const shortestNs = 3_000;

function roleUnder(random: Random, service: Service): Role {
  const draw = random.unit();
  if (draw < 0.4) return "client";
  if (draw < 0.76) return "database";
  if (draw < 0.88 || !service.byRole.has("producer")) return "internal";
  return "producer";
}

class TraceDraft {
  readonly spans: Draft[] = [];
  /** Clients and producers whose other side has no span yet. */
  readonly open: number[] = [];
  /** Spans that do work and so may have children in their own service. */
  readonly hosts: number[] = [];

  private readonly random: Random;
  private readonly services: readonly Service[];
  private readonly instances: Uint8Array;

  constructor(random: Random, services: readonly Service[]) {
    this.random = random;
    this.services = services;
    this.instances = new Uint8Array(services.length);
    for (let i = 0; i < services.length; i++) this.instances[i] = random.below(3);
  }

  add(role: Role, service: number, parent: number, startNs: number, durationNs: number): void {
    const { random } = this;
    const operations = (this.services[service] as Service).byRole.get(role);
    if (operations === undefined) throw new Error(`no ${role} in service ${service}`);
    const spanId = new Uint8Array(8);
    random.fill(spanId);
    const index = this.spans.length;
    this.spans.push({
      service,
      instance: this.instances[service] as number,
      operation: random.pick(operations),
      parent,
      startNs: Math.floor(startNs),
      durationNs: Math.max(shortestNs, Math.floor(durationNs)),
      failed: random.unit() < errorShare,
      spanId,
    });
    if (role === "client" || role === "producer") this.open.push(index);
    else if (role !== "database") this.hosts.push(index);
  }

  /** The span a client or producer caused in another service. */
  answer(index: number): void {
    const { random } = this;
    const cause = this.spans[index] as Draft;
    const callees = (this.services[cause.service] as Service).callees;
    if (cause.operation.role === "client") {
      const wire = cause.durationNs * (0.01 + 0.05 * random.unit());
      this.add(
        "server",
        random.pick(callees),
        index,
        cause.startNs + wire,
        cause.durationNs - wire * 2,
      );
      return;
    }
    const consumer = (cause.service + 1) % this.services.length;
    const waited = cause.durationNs + random.unit() * 40e6;
    this.add("consumer", consumer, index, cause.startNs + waited, 1e6 + random.unit() * 30e6);
  }

  /** Work inside one service: a call, a query, a function, a message sent. */
  work(index: number): void {
    const { random } = this;
    const host = this.spans[index] as Draft;
    const role = roleUnder(random, this.services[host.service] as Service);
    const offset = host.durationNs * (0.02 + 0.7 * random.unit());
    const share = (role === "client" ? 0.3 : 0.05) + 0.6 * random.unit();
    this.add(role, host.service, index, host.startNs + offset, (host.durationNs - offset) * share);
  }
}

/** One trace of 8 to 40 spans (fewer when `atMost` says so) whose root starts at `startNs`. */
export function drawTrace(
  random: Random,
  services: readonly Service[],
  startNs: number,
  atMost: number,
): DraftTrace {
  const traceId = new Uint8Array(16);
  random.fill(traceId);
  const count = Math.min(8 + random.below(33), atMost);
  const draft = new TraceDraft(random, services);
  const durationNs = Math.min(60e9, 80e6 * Math.exp(random.normal()));
  draft.add(
    "server",
    random.below(random.below(2) === 0 ? 4 : services.length),
    -1,
    startNs,
    durationNs,
  );
  while (draft.spans.length < count) {
    if (draft.open.length > 0 && random.unit() < 0.6) {
      const at = random.below(draft.open.length);
      draft.answer(draft.open.splice(at, 1)[0] as number);
    } else {
      draft.work(random.pick(draft.hosts));
    }
  }
  return { traceId, spans: draft.spans };
}
