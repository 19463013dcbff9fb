/** Answers the page's questions over a port: what the worker runs, and tests over a channel. */

import { isSpoorError } from "../../src/core/errors.ts";
import { TraceDesk } from "./trace-desk.ts";
import { TraceLoadError } from "./trace-source.ts";
import type {
  ErrorWords,
  FromWorker,
  QuestionName,
  Questions,
  ToWorker,
} from "./worker-messages.ts";

/** The part of a worker's global scope, or of a port, that is used. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", heard: (event: { readonly data: unknown }) => void): void;
}

type Handlers = {
  readonly [name in QuestionName]: (
    asked: Questions[name][0],
    signal: AbortSignal,
  ) => Questions[name][1] | Promise<Questions[name][1]>;
};

/** Answers until the port is closed. */
export function serveTraces(port: Port): void {
  const handlers = handlersOf(new TraceDesk());
  const running = new Map<number, AbortController>();
  port.addEventListener("message", ({ data }) => {
    const message = data as ToWorker;
    if (message.name === "abort") {
      running.get(message.call)?.abort();
      return;
    }
    const { call, name, asked } = message;
    const abort = new AbortController();
    running.set(call, abort);
    const handle = handlers[name] as (asked: unknown, signal: AbortSignal) => unknown;
    void answerOf(call, () => handle(asked, abort.signal), abort.signal).then((said) => {
      running.delete(call);
      port.postMessage(said, "answer" in said ? buffersOf(said.answer) : []);
    });
  });
}

function handlersOf(desk: TraceDesk): Handlers {
  return {
    addFiles: ({ files, names }) => desk.addFiles(files, names),
    fetchJaeger: ({ url }, signal) => desk.fetchJaeger(url, signal),
    open: ({ traceIdHex, from, shown }) => desk.open(traceIdHex, from, shown),
    criticalPath: ({ traceIdHex, token }) => desk.criticalPath(traceIdHex, token),
    details: ({ traceIdHex, token, rows }) => desk.details(traceIdHex, token, rows),
    find: ({ traceIdHex, token, find }) => desk.find(traceIdHex, token, find),
    keys: ({ traceIdHex, token }) => desk.keys(traceIdHex, token),
    values: ({ traceIdHex, token, key }) => desk.values(traceIdHex, token, key),
    json: ({ traceIdHex, raw }) => desk.json(traceIdHex, raw),
    clear: () => {
      desk.clear();
      return undefined;
    },
  };
}

async function answerOf(
  call: number,
  ask: () => unknown,
  signal: AbortSignal,
): Promise<FromWorker> {
  try {
    return { call, answer: await ask() };
  } catch (error) {
    return { call, error: errorWords(error, signal) };
  }
}

function errorWords(error: unknown, signal: AbortSignal): ErrorWords {
  const message = error instanceof Error ? error.message : String(error);
  if (signal.aborted) return { code: "aborted", message };
  if (error instanceof TraceLoadError) return { code: error.code, message };
  if (isSpoorError(error)) return { code: "bad-answer", message };
  return { code: "bug", message };
}

/** The buffers of an answer's own typed arrays: handed over, not copied. */
function buffersOf(answer: unknown): Transferable[] {
  const buffers = new Set<ArrayBuffer>();
  const own = (value: unknown): void => {
    if (!ArrayBuffer.isView(value) || !(value.buffer instanceof ArrayBuffer)) return;
    if (value.byteLength === value.buffer.byteLength) buffers.add(value.buffer);
  };
  own(answer);
  if (typeof answer === "object" && answer !== null && !Array.isArray(answer)) {
    if (!ArrayBuffer.isView(answer) && !(answer instanceof Blob))
      Object.values(answer).forEach(own);
  }
  return [...buffers];
}
