/** The page's end of the worker: questions as promises, started when the first is asked. */

import { TraceLoadError } from "./trace-source.ts";
import type { FromWorker, QuestionName, Questions, ToWorker } from "./worker-messages.ts";

/** The part of a Worker, or of a port, that is used. */
export interface AnsweringPort {
  postMessage(message: unknown): void;
  addEventListener(
    type: "message" | "error",
    heard: (event: { readonly data?: unknown; readonly message?: unknown }) => void,
  ): void;
}

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class WorkerClient {
  readonly #start: () => AnsweringPort;
  readonly #waiting = new Map<number, Waiting>();
  #port: AnsweringPort | undefined;
  #calls = 0;

  /** `start` is called when the first question is asked, and again after the worker crashed. */
  constructor(start: () => AnsweringPort) {
    this.#start = start;
  }

  /** Rejects with TraceLoadError, or with the signal's reason. */
  ask<Name extends QuestionName>(
    name: Name,
    asked: Questions[Name][0],
    signal?: AbortSignal,
  ): Promise<Questions[Name][1]> {
    const answer = new Promise<unknown>((resolve, reject) => {
      signal?.throwIfAborted();
      const port = (this.#port ??= this.#open());
      const call = ++this.#calls;
      const say = (message: ToWorker): void => port.postMessage(message);
      const aborted = (): void => {
        this.#waiting.delete(call);
        say({ call, name: "abort" });
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", aborted, { once: true });
      const done = (): void => signal?.removeEventListener("abort", aborted);
      this.#waiting.set(call, {
        resolve: (value) => {
          done();
          resolve(value);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      say({ call, name, asked });
    });
    return answer as Promise<Questions[Name][1]>;
  }

  #open(): AnsweringPort {
    const port = this.#start();
    port.addEventListener("message", ({ data }) => this.#hear(data as FromWorker));
    port.addEventListener("error", ({ message }) => this.#crash(message));
    return port;
  }

  #hear(said: FromWorker): void {
    const waiting = this.#waiting.get(said.call);
    this.#waiting.delete(said.call);
    if (waiting === undefined) return;
    if (!("error" in said)) waiting.resolve(said.answer);
    else {
      const { code, message } = said.error;
      const known = code === "bug" || code === "aborted" ? "bad-answer" : code;
      waiting.reject(new TraceLoadError(known, message));
    }
  }

  /** A worker that ran out of memory says nothing more: who waits for it must know. */
  #crash(message: unknown): void {
    this.#port = undefined;
    const words = typeof message === "string" && message !== "" ? `: ${message}` : "";
    const error = new TraceLoadError("not-available", `Reading the trace failed${words}`);
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
