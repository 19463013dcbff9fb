/** What the search page says instead of results: what is the matter, and what to do next. */

import { useSignal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import type { ServerError } from "../data/ask-server.ts";
import { fetchServices } from "../data/names.ts";
import { ALL_SERVICES, CUSTOM_LOOKBACK } from "../data/search-form.ts";
import { copyText } from "./copy.ts";
import { Icon } from "./icons.tsx";
import { serverFacts, uiConfig } from "./page-facts.ts";
import { cancelSearch, edit, form, searchAgain, submitForm } from "./search-state.ts";

/** While nothing is there yet. */
export function Loading({ slow }: { readonly slow: boolean }): JSX.Element | null {
  if (!slow) return null;
  return (
    <Note title="Still searching">
      <p>
        More than two seconds now. A shorter lookback, a service or one more attribute makes the
        server look at less.
      </p>
      <div class="actions">
        <button type="button" class="button" onClick={cancelSearch}>
          Stop searching
        </button>
      </div>
    </Note>
  );
}

/** The search failed. */
export function Failed({ error }: { readonly error: ServerError }): JSX.Element {
  return (
    <div class="state" role="alert">
      <h1>{TITLES[error.code]}</h1>
      <p>
        {error.message}
        {error.status > 0 && <span class="soft"> (HTTP {error.status})</span>}
      </p>
      <p>{HINTS[error.code]}</p>
      <div class="actions">
        <button type="button" class="button primary" onClick={searchAgain}>
          Try again
        </button>
      </div>
    </div>
  );
}

const TITLES: Readonly<Record<ServerError["code"], string>> = {
  unreachable: "The server cannot be reached",
  refused: "The server refused this search",
  failed: "The search failed on the server",
  unsupported: "This storage cannot answer that",
  "not-found": "The server does not know this question",
  "bad-answer": "The answer could not be read",
};

const HINTS: Readonly<Record<ServerError["code"], string>> = {
  unreachable: "Nothing was lost: what is on this page stays, and the search can be repeated.",
  refused: "Correct what the message names, and search again.",
  failed:
    "It may help to ask for less: a shorter lookback or a lower limit. The server's log has more.",
  unsupported: "Leave out the field that the message names.",
  "not-found": "The page and the server may be of different versions: reload the page.",
  "bad-answer": "Something between this page and the server may have changed the answer.",
};

/** Nothing was found, or nothing searched yet; a store without spans says where to send some. */
export function Empty({ searched }: { readonly searched: boolean }): JSX.Element | null {
  const services = useSignal<number | undefined>(undefined);
  useSignalEffect(() => {
    const abort = new AbortController();
    const ask = (): void => {
      fetchServices(abort.signal).then(
        (names) => {
          const before = services.peek();
          services.value = names.length;
          // The first spans arrived while the newcomer was reading.
          if (before === 0 && names.length > 0) searchAgain();
        },
        () => {
          services.value ??= -1;
        },
      );
    };
    ask();
    const timer = setInterval(() => {
      if (services.peek() === 0 && !document.hidden) ask();
    }, 3_000);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  });
  if (services.value === undefined) return null;
  if (services.value === 0) return <Newcomer />;
  if (!searched) {
    return (
      <Note title="Find traces">
        <p>Choose a service at the left, then Find Traces; or paste a trace id above.</p>
      </Note>
    );
  }
  return <NothingFound />;
}

function NothingFound(): JSX.Element {
  const { service, tags, minDuration, maxDuration, lookback } = form.value;
  const max = uiConfig.search.maxLookback;
  const narrowed = tags !== "" || minDuration !== "" || maxDuration !== "";
  const oneService = service !== "" && service !== ALL_SERVICES;
  return (
    <Note title="No trace results">
      <p>Nothing stored matches this search. What may help:</p>
      <div class="actions">
        {lookback !== max.value && (
          <button
            type="button"
            class="button"
            onClick={() => {
              edit({ lookback: max.value });
              submitForm();
            }}
          >
            Look back {lookback === CUSTOM_LOOKBACK ? "" : "further: "}
            {max.label}
          </button>
        )}
        {narrowed && (
          <button
            type="button"
            class="button"
            onClick={() => {
              edit({ tags: "", minDuration: "", maxDuration: "" });
              submitForm();
            }}
          >
            Without attributes and durations
          </button>
        )}
        {oneService && serverFacts.searchWithoutService && (
          <button
            type="button"
            class="button"
            onClick={() => {
              edit({ service: ALL_SERVICES });
              submitForm();
            }}
          >
            In all services
          </button>
        )}
        <button type="button" class="button" onClick={searchAgain}>
          Search again
        </button>
      </div>
    </Note>
  );
}

/** Ways in, by the server's name for them. */
const WAYS: Readonly<Record<string, readonly [title: string, form: string]>> = {
  otlpHttp: ["OpenTelemetry, OTLP over HTTP", "http://*"],
  otlpGrpc: ["OpenTelemetry, OTLP over gRPC", "http://*"],
  jaegerHttp: ["Jaeger clients, Thrift over HTTP", "http://*/api/traces"],
  jaegerGrpc: ["Jaeger agents, gRPC", "*"],
  jaegerCompact: ["Jaeger clients, UDP compact", "*"],
  jaegerBinary: ["Jaeger clients, UDP binary", "*"],
  zipkin: ["Zipkin", "http://*/api/v2/spans"],
};

/** The first page of somebody whose server has no spans yet. */
function Newcomer(): JSX.Element {
  const rows = serverFacts.receivers.flatMap(({ protocol, host, port }) => {
    const way = WAYS[protocol];
    return way === undefined ? [] : [{ title: way[0], address: addressOf(way[1], host, port) }];
  });
  const otlp = rows.find(({ title }) => title.includes("OTLP over HTTP"))?.address;
  const example = `OTEL_EXPORTER_OTLP_ENDPOINT=${otlp ?? "http://localhost:4318"}`;
  return (
    <Note title="Waiting for the first spans">
      <p>Nothing is stored yet. Send spans to one of these; this page shows them as they arrive.</p>
      <table class="ways">
        <caption class="unseen">Where to send spans</caption>
        <tbody>
          {rows.map(({ title, address }) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td>
                <Copyable text={address} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {otlp !== undefined && (
        <>
          <p>Every OpenTelemetry SDK takes the address from its environment:</p>
          <Copyable text={example} />
        </>
      )}
      <p>
        Nothing to trace at hand? <code>npm start -- --demo</code> (or <code>spoor demo</code>{" "}
        beside this server) runs a shop of six services that sends some.
      </p>
    </Note>
  );
}

/** Of a server on this machine the page's own host is the better name. */
function addressOf(form: string, host: string, port: number): string {
  const local = host === "" || host === "0.0.0.0" || host === "::";
  const name = local ? location.hostname : host === "127.0.0.1" ? "localhost" : host;
  return form.replace("*", `${name.includes(":") ? `[${name}]` : name}:${port}`);
}

function Copyable({ text }: { readonly text: string }): JSX.Element {
  return (
    <span class="copyable">
      <code>{text}</code>
      <button
        type="button"
        class="button quiet"
        aria-label={`Copy ${text}`}
        onClick={() => copyText(text)}
      >
        Copy
      </button>
    </span>
  );
}

function Note(props: {
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div class="state">
      <h1>
        {props.title === "Find traces" && <Icon name="search" />} {props.title}
      </h1>
      {props.children}
    </div>
  );
}
