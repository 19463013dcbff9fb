/** What the load process needs of a connection, whatever protocol it speaks. */

export interface Reply {
  readonly accepted: boolean;
  /** The server said to come back later; anything else refused is final. */
  readonly busy: boolean;
  /** HTTP status, or gRPC code. */
  readonly status: number;
  /** 0 when the server named no time. */
  readonly retryAfterMs: number;
  /** More than 2 bytes mean a partial success: some spans were refused. */
  readonly bodyBytes: number;
  readonly text: string;
}

/** One connection; `send` resolves with the answer and rejects when the connection breaks. */
export interface Sender {
  send(body: Buffer): Promise<Reply>;
  close(): void;
}
