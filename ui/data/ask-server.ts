/** Requests to the query API below the page's base, with errors a person can act on. */

/** What went wrong, in words. */
export class ServerError extends Error {
  /** Nobody answered; it refused; it failed; it cannot do this; its answer makes no sense. */
  readonly code: "unreachable" | "refused" | "failed" | "unsupported" | "not-found" | "bad-answer";
  readonly status: number;

  constructor(message: string, code: ServerError["code"], status = 0, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}

/** The address of a path of the API (`api/…`). */
export function apiUrl(path: string): string {
  return new URL(path, document.baseURI).href;
}

/** GET, or POST with a body; rejects with `ServerError` for everything but 2xx. */
export async function askServer(
  path: string,
  signal: AbortSignal,
  body?: BodyInit,
): Promise<Response> {
  const init: RequestInit = { signal, credentials: "same-origin" };
  if (body !== undefined) Object.assign(init, { method: "POST", body });
  let response: Response;
  try {
    response = await fetch(apiUrl(path), init);
  } catch (cause) {
    if (signal.aborted) throw cause;
    const text = "The server does not answer. Is it running, and is the network there?";
    throw new ServerError(text, "unreachable", 0, { cause });
  }
  if (response.ok) return response;
  throw await refusal(response);
}

/** The same, with the answer's JSON. */
export async function askJson(
  path: string,
  signal: AbortSignal,
  body?: BodyInit,
): Promise<unknown> {
  const response = await askServer(path, signal, body);
  try {
    return await response.json();
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ServerError("The server's answer is no JSON", "bad-answer", 0, { cause });
  }
}

/** What the server says of its refusal: our form, Jaeger's v1 and v3, or the status alone. */
async function refusal(response: Response): Promise<ServerError> {
  const { status } = response;
  const text = await response.text().catch(() => "");
  return new ServerError(
    messageOf(text) ?? `The server answered ${status}`,
    codeOf(status),
    status,
  );
}

function codeOf(status: number): ServerError["code"] {
  if (status === 404) return "not-found";
  if (status === 501) return "unsupported";
  return status < 500 ? "refused" : "failed";
}

function messageOf(text: string): string | undefined {
  try {
    const json: {
      error?: { message?: unknown };
      errors?: { msg?: unknown }[];
    } = JSON.parse(text);
    const message = json.error?.message ?? json.errors?.[0]?.msg;
    return typeof message === "string" && message !== "" ? message : undefined;
  } catch {
    return undefined;
  }
}
