/** The error table: every failure the world can cause has a code, a class of answer and a text. */

/** What the sender of a request should do about an error. */
export type ErrorClass = "bad-input" | "not-found" | "overloaded" | "unsupported" | "fault";

/** Codes of SpoorError with their class and meaning. docs/errors.md is generated from this. */
export const ERROR_CODES = {
  malformed: ["bad-input", "The bytes are not a valid message of the format they claim to be."],
  "too-large": ["bad-input", "The input is beyond a limit; the text names the limit."],
  "bad-query": ["bad-input", "A query parameter cannot be understood."],
  "not-found": ["not-found", "What was asked for does not exist."],
  overloaded: ["overloaded", "A queue is full; send again after the time given."],
  "disk-full": ["overloaded", "The disk is full; nothing was kept, send again later."],
  changed: ["not-found", "What was asked about is another by now; load it again."],
  rejected: ["bad-input", "The spans are refused for good; sending again will not help."],
  unsupported: ["unsupported", "This store or version cannot do what was asked."],
  deadline: ["overloaded", "The query ran past its deadline; ask for less."],
  cancelled: ["overloaded", "The caller went away before the answer."],
  corrupt: ["fault", "Stored bytes do not match their checksum; the text names the file."],
  io: ["fault", "The operating system refused a read or write; the text names file and reason."],
  closed: ["overloaded", "The part is shutting down."],
  "in-use": ["fault", "Another process holds the directory or port."],
  config: ["bad-input", "A flag, environment variable or configuration key is wrong."],
} as const satisfies Record<string, readonly [ErrorClass, string]>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error that somebody outside can cause and read. `retryAfterMs` is set when overloaded. */
export class SpoorError extends Error {
  override readonly name = "SpoorError";
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly retryAfterMs?: number } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** What the sender should do about it. */
  get class(): ErrorClass {
    return ERROR_CODES[this.code][0];
  }
}

/** Whether `error` is a SpoorError, of the given code when one is given. */
export function isSpoorError(error: unknown, code?: ErrorCode): error is SpoorError {
  return error instanceof SpoorError && (code === undefined || error.code === code);
}
