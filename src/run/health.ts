/** Whether a role serves, since when, and what its operator should know meanwhile. */

import type { Clock } from "../base/clock.ts";
import { formatGoDuration } from "../core/trace/duration-text.ts";

const NS_PER_MS = 1_000_000;

/** The answer of the admin port at `/`, with Jaeger's keys. */
export interface HealthReport {
  readonly ready: boolean;
  readonly body: {
    readonly status: string;
    readonly upSince: string;
    readonly uptime: string;
    /** What is not as it should be, or not as durable: absent when there is nothing. */
    readonly notes?: readonly string[];
  };
}

/** Health of one process. */
export class Health {
  readonly #clock: Clock;
  readonly #sources: (() => readonly string[])[] = [];
  readonly #listeners = new Set<() => void>();
  #readySinceMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the role serves now. */
  get serving(): boolean {
    return this.#readySinceMs !== undefined;
  }

  /** The role serves from now on. */
  ready(): void {
    this.#readySinceMs ??= this.#clock.nowMs();
    for (const listener of this.#listeners) listener();
  }

  /** The role is stopping. */
  unavailable(): void {
    this.#readySinceMs = undefined;
    for (const listener of this.#listeners) listener();
  }

  /** Calls the listener after every change of `serving`, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds a part that has something to say; asked at every report. */
  addNotes(read: () => readonly string[]): void {
    this.#sources.push(read);
  }

  report(): HealthReport {
    const notes = this.#sources.flatMap((read) => read());
    const said = notes.length === 0 ? {} : { notes };
    const sinceMs = this.#readySinceMs;
    if (sinceMs === undefined) {
      const body = { status: "Server not available", upSince: "0001-01-01T00:00:00Z", uptime: "" };
      return { ready: false, body: { ...body, ...said } };
    }
    const upSince = new Date(sinceMs).toISOString();
    const uptime = formatGoDuration((this.#clock.nowMs() - sinceMs) * NS_PER_MS);
    return { ready: true, body: { status: "Server available", upSince, uptime, ...said } };
  }
}
