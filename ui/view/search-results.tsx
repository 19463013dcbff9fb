/** The right side of the search page: plot, order, mode, results, or what is said instead. */

import { useComputed } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import type { JSX } from "preact";
import { useMemo, useRef } from "preact/hooks";
import type { TraceResult } from "../data/trace-result.ts";
import { durationText } from "../layout/duration-text.ts";
import { inRange } from "../layout/plot-scale.ts";
import { TRACE_ORDERS, orderOf, sortTraces } from "../layout/trace-order.ts";
import { CompareBar } from "./compare-bar.tsx";
import { downloadProgress, downloadResults } from "./download-results.ts";
import { Icon } from "./icons.tsx";
import { embeddingOf } from "./page-facts.ts";
import { ResultsList, ResultsTable } from "./results-list.tsx";
import { ResultsPlot } from "./results-plot.tsx";
import { place } from "./router.ts";
import { Empty, Failed, Loading } from "./search-notes.tsx";
import {
  brush,
  chooseOrder,
  choosePlot,
  chooseView,
  loadMore,
  more,
  nextCursor,
  orderKey,
  plotMode,
  progress,
  results,
  searchRange,
  tellBrush,
  totals,
  viewMode,
} from "./search-state.ts";
import { STILL, useStalled } from "./waiting.tsx";

/** Results of the present search. */
export function SearchResults(): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const sorted = useComputed(() => sortTraces(results.value, orderOf(orderKey.value)));
  const shown = useComputed(() => {
    const range = brush.value;
    return range === undefined
      ? sorted.value
      : sorted.value.filter((trace) => inRange(trace, range));
  });
  const mode = viewMode.value;
  // The same element as before: rows follow their signals, not every change around them.
  const rows = useMemo(() => {
    const Rows = mode === "table" ? ResultsTable : ResultsList;
    return <Rows traces={shown} scroller={scroller} />;
  }, [mode, shown]);
  const state = progress.value;
  const { kind } = state;
  const loading = kind === "loading";
  const slow = state.kind === "loading" && state.slow;
  const empty = results.value.length === 0;
  return (
    <section class="results" aria-label="Results" aria-busy={loading}>
      {loading && <div class="progress" role="progressbar" aria-label="Searching" />}
      <p class="unseen" role="status">
        {kind === "done" ? `${results.value.length} traces found` : loading ? "Searching" : ""}
      </p>
      {!empty && <Plot traces={sorted} />}
      {!empty && <Toolbar shown={shown} />}
      <div class={loading ? "results-body stale" : "results-body"} ref={scroller}>
        {state.kind === "failed" && <Failed error={state.error} />}
        {loading && <Loading slow={slow} />}
        {empty && (kind === "done" || kind === "idle") && <Empty searched={kind === "done"} />}
        {!empty && rows}
        {nextCursor.value !== undefined && !empty && brush.value === undefined && <More />}
      </div>
      <CompareBar />
    </section>
  );
}

/** The way to the next page of results. */
function More(): JSX.Element {
  const { busy, failure } = more.value;
  const stalled = useStalled(busy, more.value);
  const waits = busy && !stalled;
  const said = stalled ? STILL : failure;
  return (
    <div class="more">
      {said !== "" && (
        <p class="bad" role="alert">
          {said}
        </p>
      )}
      <button type="button" class="button" disabled={waits} onClick={() => void loadMore()}>
        {waits ? "Loading more…" : said === "" ? "Load more" : "Try again"}
      </button>
    </div>
  );
}

interface PlotProps {
  readonly traces: ReadonlySignal<readonly TraceResult[]>;
}

function Plot({ traces }: PlotProps): JSX.Element | null {
  if (embeddingOf(place.value.query).hideGraph) return null;
  return <ResultsPlot traces={traces} mode={plotMode} brush={brush} onBrushed={tellBrush} />;
}

interface ToolbarProps {
  readonly shown: ReadonlySignal<readonly TraceResult[]>;
}

function Toolbar({ shown }: ToolbarProps): JSX.Element {
  const range = brush.value;
  return (
    <div class="results-bar">
      <h1 class="count">{titleOf(shown.value.length, range !== undefined)}</h1>
      {range !== undefined && (
        <span class="brushed">
          <span class="soft">
            {durationText(range.lowUs * 1000)} – {durationText(range.highUs * 1000)}
          </span>
          <button
            type="button"
            class="button"
            onClick={() => searchRange(range.fromUs, range.toUs)}
          >
            Search this time range
          </button>
          <button
            type="button"
            class="button quiet"
            onClick={() => {
              brush.value = undefined;
              tellBrush();
            }}
          >
            Clear
          </button>
        </span>
      )}
      <span class="spring" />
      <OrderSelect />
      <Choice
        label="Plot"
        value={plotMode.value}
        choices={[
          ["scatter", "Scatter plot", "dots"],
          ["heatmap", "Latency heatmap", "heat"],
        ]}
        onChange={choosePlot}
      />
      <Choice
        label="View"
        value={viewMode.value}
        choices={[
          ["table", "Table", "table"],
          ["list", "List", "list"],
        ]}
        onChange={chooseView}
      />
      <DownloadButton />
    </div>
  );
}

/** `20 of 1,234 traces (in 143ms)`. */
function titleOf(count: number, brushed: boolean): string {
  const all = results.value.length;
  const noun = count === 1 ? "trace" : "traces";
  if (brushed) return `${count} of ${all} traces`;
  const state = progress.value;
  const took =
    state.kind === "done" && state.elapsedMs > 0
      ? ` (in ${durationText(Math.round(state.elapsedMs) * 1e6)})`
      : "";
  const counted = totals.value;
  if (counted === undefined || counted.traces <= all) {
    return `${count}${nextCursor.value === undefined ? "" : "+"} ${noun}${took}`;
  }
  const many = counted.traces.toLocaleString("en-GB");
  return `${count} of ${counted.tracesExact ? "" : "over "}${many} traces${took}`;
}

function OrderSelect(): JSX.Element {
  const complete = nextCursor.value === undefined;
  const option = ({ key, label }: { key: string; label: string }): JSX.Element => (
    <option key={key} value={key}>
      {label}
    </option>
  );
  const ours = TRACE_ORDERS.filter(({ server }) => server === undefined);
  const theirs = TRACE_ORDERS.filter(({ server }) => server !== undefined);
  return (
    <label class="order">
      <span class="soft">Sort</span>
      <select
        class="select"
        aria-label="Sort"
        value={orderOf(orderKey.value).key}
        onChange={(event) => chooseOrder(event.currentTarget.value)}
      >
        {complete ? (
          TRACE_ORDERS.map(option)
        ) : (
          <>
            <optgroup label="Of all that match">{theirs.map(option)}</optgroup>
            <optgroup label="Of those loaded">{ours.map(option)}</optgroup>
          </>
        )}
      </select>
    </label>
  );
}

interface ChoiceProps<Key extends string> {
  readonly label: string;
  readonly value: Key;
  readonly choices: readonly (readonly [
    key: Key,
    label: string,
    icon: "dots" | "heat" | "table" | "list",
  ])[];
  readonly onChange: (key: Key) => void;
}

/** Buttons of which one is pressed. */
function Choice<Key extends string>(props: ChoiceProps<Key>): JSX.Element {
  const { label, value, choices, onChange } = props;
  return (
    <span class="choice" role="group" aria-label={label}>
      {choices.map(([key, text, icon]) => (
        <button
          key={key}
          type="button"
          class="button icon"
          aria-label={text}
          title={text}
          aria-pressed={key === value}
          onClick={() => onChange(key)}
        >
          <Icon name={icon} />
        </button>
      ))}
    </span>
  );
}

function DownloadButton(): JSX.Element {
  const running = downloadProgress.value;
  if (running !== undefined) {
    return (
      <label class="downloading">
        <span class="soft">
          {running.done} of {running.all}
        </span>
        <progress aria-label="Download" value={running.done} max={running.all} />
      </label>
    );
  }
  return (
    <button
      type="button"
      class="button"
      aria-label="Download Results"
      onClick={() => void downloadResults(results.value.map(({ traceIdHex }) => traceIdHex))}
    >
      <Icon name="download" />
      <span class="label">Download</span>
    </button>
  );
}
