/** TraceLoading: gets a trace's columns into its model: at first, once more, and when it grew. */

import { batch, signal } from "@preact/signals";
import type { TraceColumns } from "../data/trace-columns.ts";
import { TraceLoadError, loadErrorOf } from "../data/trace-source.ts";
import { moveTo } from "./late-spans.ts";
import type { TraceModel } from "./trace-model.ts";

/** What comes is told on so often: each time something is drawn anew. */
const ARRIVAL_MS = 250;

export class TraceLoading {
  readonly #model: TraceModel;
  readonly underWay = signal(false);
  /** Grows with everything that arrives, some times a second, and with every try. */
  readonly arrived = signal(0);
  #arrivedMs = 0;
  #attempt = new AbortController();

  constructor(model: TraceModel) {
    this.#model = model;
    model.signal.addEventListener("abort", () => this.#attempt.abort());
  }

  /**
   * Loads the trace, giving up what was under way. What is seen already stays until all is there,
   * or more than before. Failures end in the model's `failure`, or in `broken` beside rows.
   */
  async load(): Promise<void> {
    const model = this.#model;
    const old = model.columns.peek();
    if (old === undefined || old.loaded === 0) return await this.#loadFirst();
    if (this.underWay.peek()) model.broken.value ??= new TraceLoadError("cut-short", STALLED);
    let part = old;
    const outcome = await this.#try((more) => (part = more));
    if (outcome === "overtaken") return;
    batch(() => {
      const whole = outcome === "whole";
      if (whole || part.loaded > old.loaded) moveTo(model, old, part, whole);
      model.broken.value = whole ? undefined : outcome;
      this.underWay.value = false;
    });
  }

  /** Loads what the trace has become; what is seen, open and folded stays by span id. */
  async grow(): Promise<void> {
    const model = this.#model;
    const old = model.columns.peek();
    if (old === undefined) return;
    let part = old;
    const outcome = await this.#try((more) => (part = more));
    if (outcome === "overtaken") return;
    batch(() => {
      if (outcome === "whole") moveTo(model, old, part);
      this.underWay.value = false;
    });
    if (outcome !== "whole") throw outcome;
  }

  /** Gives up what is under way, as if it had failed. */
  stop(): void {
    this.#attempt.abort(new TraceLoadError("cut-short", "Loading was stopped."));
  }

  async #loadFirst(): Promise<void> {
    const model = this.#model;
    model.failure.value = undefined;
    const outcome = await this.#try((part) => model.progress(part));
    if (outcome === "overtaken") return;
    const loaded = model.columns.peek()?.loaded ?? 0;
    batch(() => {
      this.underWay.value = false;
      if (outcome === "whole") return model.finish();
      if (loaded === 0) model.failure.value = outcome;
      else {
        model.loadedRows.value = loaded;
        model.broken.value = outcome;
      }
    });
  }

  #arrives(): void {
    this.#arrivedMs = performance.now();
    this.arrived.value++;
  }

  /** One try: "whole", why it failed, or "overtaken" when another began or the page was left. */
  async #try(
    onProgress: (columns: TraceColumns) => void,
  ): Promise<"whole" | "overtaken" | TraceLoadError> {
    this.#attempt.abort();
    const own = new AbortController();
    this.#attempt = own;
    this.underWay.value = true;
    this.#arrives();
    let loaded = 0;
    const overtaken = (): boolean => this.#attempt !== own || this.#model.signal.aborted;
    try {
      const columns = await this.#model.source.load((part) => {
        if (overtaken()) return;
        if (performance.now() - this.#arrivedMs > ARRIVAL_MS) this.#arrives();
        if (part.loaded === loaded) return;
        loaded = part.loaded;
        onProgress(part);
      }, own.signal);
      if (overtaken()) return "overtaken";
      onProgress(columns);
      return "whole";
    } catch (error) {
      if (overtaken()) return "overtaken";
      return loadErrorOf(own.signal.aborted ? own.signal.reason : error);
    }
  }
}

const STALLED = "The connection stalled before the whole trace had arrived.";
