/** FileStrategies: strategies from a file or URL, read again from time to time. */

import type { Clock } from "../base/clock.ts";
import type { Counter, CounterTable } from "../base/counters.ts";
import type { SamplingSource, SamplingStrategy } from "../core/sampling.ts";
import { defaultStrategies, parseStrategies } from "./strategies.ts";
import type { Strategies } from "./strategies.ts";

/** Timers, handed in. */
export interface Schedule {
  /** Calls `run` every `everyMs` until the returned function is called. */
  (run: () => void, everyMs: number): () => void;
}

export interface FileStrategiesOptions {
  /** Reads the text; undefined when the place says it has nothing now. Rejects readably. */
  readonly load: () => Promise<string | undefined>;
  /** What an operator calls the place. */
  readonly place: string;
  readonly defaultProbability: number;
  /** Milliseconds between readings; 0 reads once. */
  readonly reloadMs: number;
  readonly schedule: Schedule;
  readonly clock: Clock;
  readonly counters: CounterTable;
  /** Told of what the operator should know. */
  readonly report: (level: "info" | "warn", message: string) => void;
}

/** Answers from the last text that could be read. */
export class FileStrategies implements SamplingSource {
  readonly #options: FileStrategiesOptions;
  readonly #good: Counter;
  readonly #bad: Counter;
  #strategies: Strategies;
  #text: string | undefined;
  #failure: string | undefined;
  #stop: (() => void) | undefined;
  #reading = false;

  private constructor(options: FileStrategiesOptions) {
    this.#options = options;
    this.#strategies = defaultStrategies(options.defaultProbability);
    const counted = (result: string): Counter =>
      options.counters.counter(
        "spoor_sampling_reloads_total",
        "Readings of the strategies file that brought something new, or failed.",
        ["result"],
        [result],
      );
    this.#good = counted("ok");
    this.#bad = counted("err");
  }

  /** Reads for the first time; rejects when that fails, as a start should. */
  static async open(options: FileStrategiesOptions): Promise<FileStrategies> {
    const source = new FileStrategies(options);
    const text = await options.load();
    if (text === undefined) {
      options.report("warn", `${options.place} has no strategies now: the default applies`);
    } else source.#take(text);
    if (options.reloadMs > 0) {
      source.#stop = options.schedule(() => void source.reload(), options.reloadMs);
    }
    return source;
  }

  strategyOf(service: string): Promise<SamplingStrategy> {
    const { byService, standard } = this.#strategies;
    return Promise.resolve(byService.get(service) ?? standard);
  }

  /** What health should say: why the strategies in use may be old. */
  notes(): readonly string[] {
    return this.#failure === undefined ? [] : [this.#failure];
  }

  close(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Reads again; a failure keeps what there is. Never rejects. */
  async reload(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      const text = await this.#options.load();
      if (text !== undefined && text !== this.#text) this.#take(text);
      this.#failure = undefined;
    } catch (error) {
      this.#keep(error);
    } finally {
      this.#reading = false;
    }
  }

  #take(text: string): void {
    const { defaultProbability, place, report } = this.#options;
    this.#strategies = parseStrategies(text, defaultProbability);
    this.#text = text;
    this.#good.value++;
    report("info", `sampling strategies read from ${place}`);
    for (const warning of this.#strategies.warnings) report("warn", `${place}: ${warning}`);
  }

  #keep(error: unknown): void {
    const { clock, place, report } = this.#options;
    this.#bad.value++;
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#failure === undefined) {
      report("warn", `sampling strategies of ${place} are not renewed: ${reason}`);
    }
    const at = new Date(clock.nowMs()).toISOString();
    this.#failure = `sampling strategies are old: reading ${place} failed at ${at}: ${reason}`;
  }
}
