/** What has been opened, closed in the opposite order, also when opening stops half-way. */

/** A list of things to close. */
export class Closers {
  readonly #open: (() => Promise<void>)[] = [];

  /** Remembers how to close what was just opened. */
  add(close: () => Promise<void>): void {
    this.#open.push(close);
  }

  /** Closes all, newest first, each once. Goes on past a failure and throws the first one. */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#open.pop(); close !== undefined; close = this.#open.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
