/** Calls into a worker thread: answers by number, typed errors, abort, restart after a crash. */

import { Worker } from "node:worker_threads";
import type { MessagePort, Transferable } from "node:worker_threads";
import type { Clock } from "../../base/clock.ts";
import { abortError } from "../../core/cancel.ts";
import { SpoorError } from "../../core/errors.ts";
import type { ErrorCode } from "../../core/errors.ts";

/** A crashed worker is started again after this, doubling up to the second. */
const RESTART_MS = { first: 100, most: 10_000 } as const;

/** What goes into the worker. */
type Request =
  | { readonly id: number; readonly method: string; readonly args: unknown }
  | { readonly abort: number };

/** What comes out. */
type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: SentError };

/** An error as a message. */
interface SentError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly retryAfterMs: number | undefined;
  readonly stack: string | undefined;
}

/** A handler's answer when it hands memory over. */
export class Handover {
  readonly value: unknown;
  readonly transfer: readonly Transferable[];

  constructor(value: unknown, transfer: readonly Transferable[]) {
    this.value = value;
    this.transfer = transfer;
  }
}

/** What a worker can be asked. */
export type Handlers = {
  readonly [method: string]: (args: never, signal: AbortSignal) => unknown;
};

/** In the worker: answers calls that arrive on the port, one by one or overlapping. */
export function serveCalls(port: MessagePort, handlers: Handlers): void {
  const running = new Map<number, AbortController>();
  const answer = async (id: number, method: string, args: unknown): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const handler = handlers[method];
      if (handler === undefined) throw new Error(`no method ${method}`);
      const result = await handler(args as never, controller.signal);
      const handed = result instanceof Handover ? result : new Handover(result, []);
      const reply: Reply = { id, value: handed.value };
      port.postMessage(reply, handed.transfer);
    } catch (error) {
      const reply: Reply = { id, error: sentError(error) };
      port.postMessage(reply);
    } finally {
      running.delete(id);
    }
  };
  port.on("message", (request: Request) => {
    if ("abort" in request) running.get(request.abort)?.abort();
    else void answer(request.id, request.method, request.args);
  });
}

function sentError(error: unknown): SentError {
  const isOurs = error instanceof SpoorError;
  return {
    code: isOurs ? error.code : undefined,
    message: error instanceof Error ? error.message : String(error),
    retryAfterMs: isOurs ? error.retryAfterMs : undefined,
    stack: error instanceof Error ? error.stack : undefined,
  };
}

function receivedError(sent: SentError): Error {
  if (sent.code !== undefined) {
    const { retryAfterMs } = sent;
    const options = retryAfterMs === undefined ? {} : { retryAfterMs };
    return new SpoorError(sent.code, sent.message, options);
  }
  const error = new Error(sent.message);
  if (sent.stack !== undefined) error.stack = sent.stack;
  return error;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** How a worker thread is run. */
export interface WorkerOptions {
  /** What people call it: "search", "seal". */
  readonly name: string;
  /** The module it runs. */
  readonly url: URL;
  readonly clock: Clock;
  /** Told of every crash, before the restart. */
  readonly onCrash: (message: string) => void;
  /** Called after every start, before calls that wait for it. */
  readonly onStart: (thread: WorkerThread) => void;
}

/** A worker thread that is started again when it crashes; its open calls reject with `io`. */
export class WorkerThread {
  readonly #options: WorkerOptions;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #nextId = 1;
  #closed = false;
  #restartMs: number = RESTART_MS.first;
  #cancelRestart: (() => void) | undefined;
  /** Calls that came while there was no thread. */
  #waiting: (() => void)[] = [];

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#closed || this.#worker !== undefined) return;
    const { name, url } = this.#options;
    const worker = new Worker(url, { name });
    this.#worker = worker;
    worker.on("message", (reply: Reply) => this.#answered(reply));
    worker.on("error", (error) => this.#stopped(worker, error.message));
    worker.on("exit", (code) => this.#stopped(worker, `exit code ${code}`));
    worker.unref();
    this.#options.onStart(this);
    for (const run of this.#waiting.splice(0)) run();
  }

  /** Asks the worker; rejects with its error, `cancelled` after an abort, `io` after a crash. */
  call(
    method: string,
    args: unknown,
    transfer: readonly Transferable[] = [],
    signal?: AbortSignal,
  ): Promise<unknown> {
    if (this.#closed) return Promise.reject(new SpoorError("closed", "the store is closed"));
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const onAbort = (): void => {
      this.#pending.delete(id);
      const request: Request = { abort: id };
      this.#worker?.postMessage(request);
      if (signal !== undefined) reject(abortError(signal));
    };
    if (signal?.aborted === true) return Promise.reject(abortError(signal));
    signal?.addEventListener("abort", onAbort, { once: true });
    const done = (): void => signal?.removeEventListener("abort", onAbort);
    this.#pending.set(id, {
      resolve: (value) => (done(), resolve(value)),
      reject: (error) => (done(), reject(error)),
    });
    const post = (): void => {
      if (!this.#pending.has(id)) return;
      const request: Request = { id, method, args };
      this.#worker?.ref();
      this.#worker?.postMessage(request, transfer);
    };
    if (this.#worker === undefined) this.#waiting.push(post);
    else post();
    return promise;
  }

  /** Ends the thread; open calls reject with `closed`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRestart?.();
    this.#rejectAll(new SpoorError("closed", "the store is closed"));
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #answered(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (this.#pending.size === 0) this.#worker?.unref();
    this.#restartMs = RESTART_MS.first;
    if (pending === undefined) return;
    if ("error" in reply) pending.reject(receivedError(reply.error));
    else pending.resolve(reply.value);
  }

  #stopped(worker: Worker, reason: string): void {
    if (this.#closed || this.#worker !== worker) return;
    this.#worker = undefined;
    const message = `the ${this.#options.name} worker stopped: ${reason}`;
    this.#options.onCrash(message);
    this.#rejectAll(new SpoorError("io", message));
    this.#cancelRestart = this.#options.clock.after(this.#restartMs, () => this.start());
    this.#restartMs = Math.min(this.#restartMs * 2, RESTART_MS.most);
  }

  #rejectAll(error: Error): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#waiting = [];
    for (const { reject } of pending) reject(error);
  }
}

/** Address of a worker's module beside the caller's, as source or as published JavaScript. */
export function workerUrl(name: string, callerUrl: string): URL {
  return new URL(`./${name}${callerUrl.endsWith(".ts") ? ".ts" : ".js"}`, callerUrl);
}
