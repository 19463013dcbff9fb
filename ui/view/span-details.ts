/** SpanDetails: details of rows, fetched when they are wanted and kept for a while. */

import { signal } from "@preact/signals";
import type { TraceColumns } from "../data/trace-columns.ts";
import type { SpanDetail, TraceSource } from "../data/trace-source.ts";
import { follow } from "./follow.ts";

/** Details kept: some 5 kB each, so at most some 10 MB. */
const MAX_KEPT = 2000;
/** Rows of one request; the source takes at most 1,000. */
const MAX_ASKED = 200;

export class SpanDetails {
  /** Why the last request failed, "" when it did not. */
  readonly failure = signal("");
  readonly #source: TraceSource;
  readonly #signal: AbortSignal;
  readonly #kept = new Map<number, SpanDetail>();
  readonly #wanted = new Set<number>();
  readonly #underWay = new Map<number, AbortController>();
  readonly #version = signal(0);
  #columns: TraceColumns | undefined;
  #asking = false;

  constructor(source: TraceSource, abort: AbortSignal) {
    this.#source = source;
    this.#signal = abort;
  }

  /** Forgets everything and answers about these columns from now on. */
  setColumns(columns: TraceColumns): void {
    if (this.#columns === columns) return;
    this.#columns = columns;
    this.#kept.clear();
    this.#version.value++;
  }

  /** Whoever reads this is told when details arrive. */
  get version(): number {
    return this.#version.value;
  }

  /** The details of a row if they are here; subscribes to their arrival. */
  get(row: number): SpanDetail | undefined {
    follow(this.#version.value);
    return this.#kept.get(row);
  }

  /** As `get`, without subscribing: for pictures, which ask every frame anyway. */
  peek(row: number): SpanDetail | undefined {
    return this.#kept.get(row);
  }

  /** Fetches what is not here yet; rows wanted in the same moment are one request. */
  want(rows: readonly number[]): void {
    for (const row of rows) {
      if (!this.#kept.has(row) && !this.#underWay.has(row)) this.#wanted.add(row);
    }
    if (this.#wanted.size > 0 && !this.#asking) {
      this.#asking = true;
      queueMicrotask(() => void this.#ask());
    }
  }

  /** Asks anew for rows whose answer does not come; what was asked with them is asked again too. */
  wantAgain(rows: readonly number[]): void {
    const stale = new Set(rows.map((row) => this.#underWay.get(row)));
    for (const [row, asked] of this.#underWay) {
      if (!stale.has(asked)) continue;
      this.#underWay.delete(row);
      this.#wanted.add(row);
    }
    for (const asked of stale) asked?.abort();
    this.want(rows);
  }

  async #ask(): Promise<void> {
    this.#asking = false;
    const columns = this.#columns;
    if (columns === undefined) return;
    // The latest wishes are what is on screen now.
    const rows = [...this.#wanted].slice(-MAX_ASKED);
    this.#wanted.clear();
    const asked = new AbortController();
    for (const row of rows) this.#underWay.set(row, asked);
    const leave = (): void => asked.abort();
    this.#signal.addEventListener("abort", leave);
    try {
      const found = await this.#source.details(columns, rows, asked.signal);
      if (columns !== this.#columns) return;
      for (const detail of found) this.#kept.set(detail.row, detail);
      this.#forgetOldest();
      this.failure.value = "";
    } catch (error) {
      if (!asked.signal.aborted) this.failure.value = textOf(error);
    } finally {
      this.#signal.removeEventListener("abort", leave);
      for (const row of rows) {
        if (this.#underWay.get(row) === asked) this.#underWay.delete(row);
      }
      this.#version.value++;
    }
  }

  #forgetOldest(): void {
    for (const row of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(row);
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
