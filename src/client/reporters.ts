// Reporters without a wire: none, in memory, to a logger, to several at once.
import { NULL_LOGGER } from "./logger.ts";
import type { Span } from "./span.ts";
import type { Logger, Reporter, Tag } from "./types.ts";

export class NoopReporter implements Reporter {
  report(): void {}

  close(callback?: () => void): void {
    callback?.();
  }

  setProcess(): void {}

  name(): string {
    return "NoopReporter";
  }

  toString(): string {
    return "NoopReporter";
  }
}

/** Keeps every span: for tests. */
export class InMemoryReporter implements Reporter {
  spans: Span[] = [];
  process: { serviceName: string; tags: Tag[] } | null = null;

  report(span: Span): void {
    this.spans.push(span);
  }

  /** The spans so far, in the order they were finished. */
  getSpans(): Span[] {
    return this.spans;
  }

  clear(): void {
    this.spans = [];
  }

  close(callback?: () => void): void {
    callback?.();
  }

  setProcess(serviceName: string, tags: Tag[]): void {
    this.process = { serviceName, tags };
  }

  name(): string {
    return "InMemoryReporter";
  }

  toString(): string {
    return "InMemoryReporter";
  }
}

/** Writes each span's context to a logger. */
export class LoggingReporter implements Reporter {
  readonly #logger: Logger;

  constructor(logger: Logger = NULL_LOGGER) {
    this.#logger = logger;
  }

  report(span: Span): void {
    this.#logger.info(`Reporting span ${span.context().toString()}`);
  }

  close(callback?: () => void): void {
    callback?.();
  }

  setProcess(): void {}

  name(): string {
    return "LoggingReporter";
  }

  toString(): string {
    return "LoggingReporter";
  }
}

/** Hands each span to several reporters; one that fails does not keep it from the others. */
export class CompositeReporter implements Reporter {
  readonly #reporters: readonly Reporter[];

  constructor(reporters: readonly Reporter[]) {
    this.#reporters = reporters;
  }

  report(span: Span): void {
    const failures: unknown[] = [];
    for (const reporter of this.#reporters) {
      try {
        reporter.report(span);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, "a reporter failed");
  }

  close(callback?: () => void): void {
    let open = this.#reporters.length;
    if (open === 0) callback?.();
    for (const reporter of this.#reporters) {
      reporter.close(() => {
        if (--open === 0) callback?.();
      });
    }
  }

  setProcess(serviceName: string, tags: Tag[]): void {
    for (const reporter of this.#reporters) reporter.setProcess?.(serviceName, tags);
  }

  name(): string {
    return "CompositeReporter";
  }

  toString(): string {
    return `CompositeReporter(${this.#reporters.map(String).join(",")})`;
  }
}
