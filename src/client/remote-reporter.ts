// The reporter that sends: hands spans to a queue and flushes it now and then.
import { systemTimers } from "./clock.ts";
import type { AnchoredClock, Timers } from "./clock.ts";
import type { Metrics } from "./metrics.ts";
import type { Span } from "./span.ts";
import type { Logger, Reporter, Tag } from "./types.ts";

/** What a reporter needs of a sender; `SpanQueue` is one. */
export interface Sender {
  append(span: Span): void;
  flush(callback?: () => void): void;
  setProcess(serviceName: string, tags: readonly Tag[]): void;
  close(callback?: () => void): void;
  observe?(metrics: Metrics | undefined, logger: Logger | undefined): void;
}

export interface RemoteReporterOptions {
  timers?: Timers | undefined;
  bufferFlushInterval?: number | undefined;
  /** Follows steps of the wall clock at every flush. */
  clock?: AnchoredClock | undefined;
  metrics?: Metrics | undefined;
  logger?: Logger | undefined;
}

const FLUSH_INTERVAL_MS = 1_000;

export class RemoteReporter implements Reporter {
  readonly #sender: Sender;
  readonly #options: RemoteReporterOptions;
  #cancel: () => void;

  constructor(sender: Sender, options: RemoteReporterOptions = {}) {
    if (!sender) throw new Error("RemoteReporter must be given a Sender.");
    this.#sender = sender;
    this.#options = options;
    sender.observe?.(options.metrics, options.logger);
    this.#cancel = this.#schedule();
  }

  #schedule(): () => void {
    const { timers = systemTimers, bufferFlushInterval, clock } = this.#options;
    return timers.after(bufferFlushInterval || FLUSH_INTERVAL_MS, () => {
      clock?.align();
      this.#sender.flush();
      this.#cancel = this.#schedule();
    });
  }

  report(span: Span): void {
    this.#sender.append(span);
  }

  flush(callback?: () => void): void {
    this.#sender.flush(callback);
  }

  close(callback?: () => void): void {
    this.#cancel();
    this.#sender.close(callback);
  }

  setProcess(serviceName: string, tags: Tag[]): void {
    this.#sender.setProcess(serviceName, tags);
  }

  name(): string {
    return "RemoteReporter";
  }

  toString(): string {
    return "RemoteReporter";
  }
}
