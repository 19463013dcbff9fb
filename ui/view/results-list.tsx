/** The results as a table or as a list: only the rows near the window are in the page. */

import { useComputed } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { agoText, instantText } from "../data/instants.ts";
import type { ServiceCount, TraceResult } from "../data/trace-result.ts";
import { durationText } from "../layout/duration-text.ts";
import { orderOf } from "../layout/trace-order.ts";
import { Icon } from "./icons.tsx";
import { embeddingOf, uiConfig, zone, zoneLabel } from "./page-facts.ts";
import { place } from "./router.ts";
import {
  chooseOrder,
  chooseTimes,
  orderKey,
  resultsAddress,
  startTimeDisplay,
  ticked,
  toggleTicked,
  traceHref,
} from "./search-state.ts";
import { hueOf } from "./service-hue.ts";
import { useVirtualRows } from "./virtual-rows.ts";
import type { ElementRef } from "./virtual-rows.ts";

interface ResultsProps {
  readonly traces: ReadonlySignal<readonly TraceResult[]>;
  readonly scroller: ElementRef;
}

const TABLE_ROW = 34;
const LIST_ROW = 66;
const PILLS_IN_LIST = 6;
/** Services that have room in the table, by the width of the results; the others are counted. */
const PILLS_AT: readonly (readonly [width: number, pills: number])[] = [
  [1900, 8],
  [1500, 5],
  [1180, 3],
];

/** Columns as Jaeger's; one that no result fills is left out. */
export function ResultsTable({ traces, scroller }: ResultsProps): JSX.Element {
  const body = useRef<HTMLTableSectionElement>(null);
  const count = useComputed(() => traces.value.length);
  const rows = useVirtualRows(scroller, body, count, TABLE_ROW);
  const longest = useComputed(() => longestOf(traces.value));
  const { embedded } = embeddingOf(place.value.query);
  const hasSpans = traces.value.some(({ spanCount }) => spanCount !== undefined);
  const hasErrors = traces.value.some(({ errorCount }) => errorCount !== undefined);
  const relative = startTimeDisplay.value === "relative";
  const pills = PILLS_AT.find(([width]) => rows.width >= width)?.[1] ?? 2;
  return (
    <table class="results-table" aria-rowcount={count.value + 1}>
      <caption class="unseen">Traces found</caption>
      <thead>
        <tr aria-rowindex={1}>
          {!embedded && (
            <th class="tick" scope="col">
              <span class="unseen">Compare</span>
            </th>
          )}
          <OrderHead class="name" name="Trace name" orders={["NAME_ASC", "NAME_DESC"]} />
          <th scope="col" class="in-services">
            Services
          </th>
          {hasSpans && (
            <OrderHead class="number" name="Spans" orders={["MOST_SPANS", "LEAST_SPANS"]} />
          )}
          {hasErrors && (
            <OrderHead class="number" name="Errors" orders={["MOST_ERRORS", "LEAST_ERRORS"]} />
          )}
          <OrderHead
            class="duration"
            name="Duration"
            orders={["LONGEST_FIRST", "SHORTEST_FIRST"]}
          />
          <OrderHead class="start" name="Start time" orders={["MOST_RECENT", "OLDEST"]}>
            <button
              type="button"
              class="unit"
              onClick={toggleStartTime}
              title="Absolute or relative"
            >
              {relative ? "relative" : zoneLabel(zone.value)}
            </button>
          </OrderHead>
        </tr>
      </thead>
      <tbody ref={body}>
        <Space height={rows.before} />
        {traces.value.slice(rows.from, rows.to).map((trace, i) => (
          <tr key={trace.traceIdHex} aria-rowindex={rows.from + i + 2}>
            {!embedded && (
              <td class="tick">
                <Tick trace={trace} />
              </td>
            )}
            <td class="name">
              <TraceLink trace={trace} />
              <Badges trace={trace} />
            </td>
            <td class="in-services">
              <Pills services={trace.services} most={pills} />
            </td>
            {hasSpans && <td class="number">{trace.spanCount}</td>}
            {hasErrors && (
              <td class={(trace.errorCount ?? 0) > 0 ? "number bad" : "number soft"}>
                {trace.errorCount}
              </td>
            )}
            <td class="duration">
              <DurationBar trace={trace} longestUs={longest.value} />
            </td>
            <td class="start">
              <StartTime us={trace.startUs} />
            </td>
          </tr>
        ))}
        <Space height={rows.after} />
      </tbody>
    </table>
  );
}

interface OrderHeadProps {
  readonly name: string;
  readonly class: string;
  /** Keys of orders: the first press asks for the first, the next for the other. */
  readonly orders: readonly [string, string];
  readonly children?: JSX.Element;
}

/** A column's head, which orders by its column. */
function OrderHead(props: OrderHeadProps): JSX.Element {
  const { name, class: column, orders, children } = props;
  const at = orders.indexOf(orderKey.value);
  const ascending = /^(NAME_ASC|LEAST|SHORTEST|OLDEST)/.test(orderKey.value);
  const next = orderOf(orders[at === 0 ? 1 : 0]);
  return (
    <th
      scope="col"
      class={column}
      {...(at < 0 ? {} : { "aria-sort": ascending ? "ascending" : "descending" })}
    >
      <button
        type="button"
        class="order-head"
        title={`Sort: ${next.label.toLowerCase()}`}
        onClick={() => chooseOrder(next.key)}
      >
        {name}
      </button>{" "}
      {children}
    </th>
  );
}

/** The room of rows that are not in the page. */
function Space({ height }: { readonly height: number }): JSX.Element | null {
  if (height <= 0) return null;
  return (
    <tr aria-hidden="true" class="space">
      <td style={{ height: `${height}px` }} />
    </tr>
  );
}

/** Two lines a trace. */
export function ResultsList({ traces, scroller }: ResultsProps): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  const count = useComputed(() => traces.value.length);
  const rows = useVirtualRows(scroller, list, count, LIST_ROW);
  const longest = useComputed(() => longestOf(traces.value));
  const { embedded } = embeddingOf(place.value.query);
  return (
    <ul
      class="results-list"
      ref={list}
      style={{ paddingTop: `${rows.before}px`, paddingBottom: `${rows.after}px` }}
    >
      {traces.value.slice(rows.from, rows.to).map((trace, i) => (
        <li key={trace.traceIdHex} aria-posinset={rows.from + i + 1} aria-setsize={count.value}>
          {!embedded && <Tick trace={trace} />}
          <div class="item">
            <div class="line">
              <span class="name">
                <TraceLink trace={trace} />
                <code class="soft">
                  {trace.traceIdHex.replace(/^0{16}/, "").slice(0, uiConfig.traceIdDisplayLength)}
                </code>
                <Badges trace={trace} />
              </span>
              <DurationBar trace={trace} longestUs={longest.value} />
            </div>
            <div class="line">
              <span class="pills">
                <span class="pill">{counted(trace.spanCount ?? 0, "span")}</span>
                {(trace.errorCount ?? 0) > 0 && (
                  <span class="pill bad">{counted(trace.errorCount ?? 0, "error")}</span>
                )}
                <Pills services={trace.services} most={PILLS_IN_LIST} />
              </span>
              <span class="soft">
                <StartTime us={trace.startUs} />
              </span>
            </div>
          </div>
        </li>
      ))}
    </ul>
  );
}

function Tick({ trace }: { readonly trace: TraceResult }): JSX.Element {
  return (
    <label class="tick-target">
      <input
        type="checkbox"
        aria-label={`Compare ${trace.rootService}: ${trace.rootName}`}
        checked={ticked.value.has(trace.traceIdHex)}
        onChange={() => toggleTicked(trace)}
      />
    </label>
  );
}

function TraceLink({ trace }: { readonly trace: TraceResult }): JSX.Element {
  const { query } = place.value;
  return (
    <a
      href={traceHref(trace)}
      data-from={resultsAddress.value}
      title={`${trace.rootService}: ${trace.rootName}\n${trace.traceIdHex}`}
      {...(embeddingOf(query).embedded && !uiConfig.forbidNewPage ? { target: "_blank" } : {})}
    >
      <strong>{trace.rootService === "" ? "(no root)" : trace.rootService}</strong>
      <span> {trace.rootName}</span>
    </a>
  );
}

function Badges({ trace }: { readonly trace: TraceResult }): JSX.Element {
  return (
    <>
      {trace.uploaded && <span class="pill">Uploaded</span>}
      {(trace.orphanCount ?? 0) > 0 && (
        <span
          class="pill warn"
          title={`${trace.orphanCount} spans name a parent that is not there`}
        >
          Incomplete
        </span>
      )}
    </>
  );
}

interface PillsProps {
  readonly services: readonly ServiceCount[];
  readonly most: number;
}

/** Those with errors first; the rest is a number. */
function Pills({ services, most }: PillsProps): JSX.Element {
  const shown = services.toSorted((a, b) => Number(b.errorCount > 0) - Number(a.errorCount > 0));
  const hidden = shown.slice(most);
  return (
    <span class="pills">
      {shown.slice(0, most).map(({ name, spanCount, errorCount }) => (
        <span
          key={name}
          class={errorCount > 0 ? "pill bad" : "pill"}
          title={`${name}: ${counted(spanCount, "span")}, ${counted(errorCount, "error")}`}
        >
          {errorCount > 0 ? (
            <Icon name="error" />
          ) : (
            <span class="dot" style={{ background: `var(--service-${hueOf(name)})` }} />
          )}
          <span class="text">{name}</span>
          <span class="count">{spanCount}</span>
        </span>
      ))}
      {hidden.length > 0 && (
        <span class="pill" title={hidden.map(({ name }) => name).join(", ")}>
          +{hidden.length}
        </span>
      )}
    </span>
  );
}

function DurationBar(props: {
  readonly trace: TraceResult;
  readonly longestUs: number;
}): JSX.Element {
  const { trace, longestUs } = props;
  const share = longestUs > 0 ? Math.max(0.5, (trace.durationUs / longestUs) * 100) : 0;
  return (
    <span class="duration-bar">
      <span
        class={(trace.errorCount ?? 0) > 0 ? "bar bad" : "bar"}
        style={{ width: `${share}%` }}
      />
      <span class="text">{durationText(trace.durationUs * 1000)}</span>
    </span>
  );
}

function StartTime({ us }: { readonly us: number }): JSX.Element {
  const absolute = `${instantText(us, zone.value)} ${zoneLabel(zone.value)}`;
  const text =
    startTimeDisplay.value === "relative"
      ? agoText(us, Date.now() * 1000)
      : instantText(us, zone.value);
  return <time title={absolute}>{text}</time>;
}

function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function toggleStartTime(): void {
  chooseTimes(startTimeDisplay.peek() === "relative" ? "absolute" : "relative");
}

function longestOf(traces: readonly TraceResult[]): number {
  let longest = 0;
  for (const { durationUs } of traces) longest = Math.max(longest, durationUs);
  return longest;
}
