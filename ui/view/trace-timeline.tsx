/** The timeline: treegrid of names, canvas of bars, ruler, open details and their pointer. */

import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";
import { Resizer } from "./resizer.tsx";
import { SpanDetailPanel } from "./span-detail.tsx";
import { counted } from "./row-text.ts";
import type { TraceContext } from "./trace-context.ts";
import { nameWidthOf } from "./timeline-layout.ts";
import { listenToPointer } from "./timeline-pointer.ts";
import { TimelineView } from "./timeline-view.ts";
import { TreeButtons } from "./tree-buttons.tsx";
import { showHidden } from "./tree-folding.ts";

export interface TraceTimelineProps {
  readonly context: TraceContext;
  /** Told of the view while there is one. */
  readonly onView: (view: TimelineView | undefined) => void;
}

const MIN_NAME_SHARE = 0.15;
const MAX_NAME_SHARE = 0.85;

export function TraceTimeline({ context, onView }: TraceTimelineProps): JSX.Element {
  const { model } = context;
  const body = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const ruler = useRef<HTMLCanvasElement>(null);
  const rows = useRef<HTMLDivElement>(null);
  const sticky = useRef<HTMLDivElement>(null);
  const details = useRef<HTMLDivElement>(null);
  const thumb = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const elements = {
      body: body.current!,
      canvas: canvas.current!,
      ruler: ruler.current!,
      rows: rows.current!,
      sticky: sticky.current!,
      details: details.current!,
      thumb: thumb.current!,
    };
    const view = new TimelineView(model, elements);
    const stop = listenToPointer(context, view, elements);
    onView(view);
    return () => {
      onView(undefined);
      stop();
      view.close();
    };
  }, [context]);
  return (
    <div class="tl">
      <TimelineHead context={context} rulerRef={ruler} />
      <div class="tl-body" ref={body}>
        <canvas class="tl-canvas" ref={canvas} aria-hidden="true" />
        <TreeGrid context={context} rowsRef={rows} />
        <NothingLeft context={context} />
        <div class="tl-sticky" ref={sticky} aria-hidden="true" />
        <Details context={context} detailsRef={details} />
        <div class="tl-scroll" aria-hidden="true">
          <div class="tl-thumb" ref={thumb} />
        </div>
      </div>
    </div>
  );
}

/** Where the rows would be when the filters leave none. */
function NothingLeft({ context }: { readonly context: TraceContext }): JSX.Element | null {
  const { model, filters } = context;
  if (model.loadedRows.value === 0 || model.visible.value.rows.length > 0) return null;
  return (
    <div class="state tl-nothing" role="status">
      <h2>No span is left</h2>
      <p>What is filtered or hidden are all {counted(model.loadedRows.value, "span")}.</p>
      <button
        type="button"
        class="button"
        onClick={() => {
          filters.keepAll();
          showHidden(model);
        }}
      >
        Show all spans
      </button>
    </div>
  );
}

interface TimelineHeadProps {
  readonly context: TraceContext;
  readonly rulerRef: { current: HTMLCanvasElement | null };
}

function TimelineHead({ context, rulerRef }: TimelineHeadProps): JSX.Element {
  const { model } = context;
  // Follows the sizes that the width of the names comes from.
  const { width } = model.body.value;
  const nameWidth = model.nameShare.value > 0 ? nameWidthOf(model) : 0;
  const bars = model.barsShown.value;
  return (
    <div class="tl-head">
      <div class="tl-head-name" style={{ width: bars ? `${nameWidth}px` : "100%" }}>
        <span class="tl-head-title">Service &amp; span name</span>
        <TreeButtons context={context} />
      </div>
      {bars && (
        <Resizer
          label="Width of the names"
          value={Math.round(nameWidth)}
          min={Math.round(width * MIN_NAME_SHARE)}
          max={Math.round(width * MAX_NAME_SHARE)}
          onChange={(pixels) => {
            model.nameShare.value = pixels / Math.max(1, width);
          }}
        />
      )}
      <div class="tl-ruler" hidden={!bars}>
        <canvas ref={rulerRef} aria-hidden="true" />
      </div>
    </div>
  );
}

interface TreeGridProps {
  readonly context: TraceContext;
  readonly rowsRef: { current: HTMLDivElement | null };
}

const COLUMNS = ["Service and span name", "Start", "Duration", "Share of the trace", "Remarks"];

/** The rows themselves are the pool's; Preact leaves what it did not make alone. */
function TreeGrid({ context, rowsRef }: TreeGridProps): JSX.Element {
  const count = context.model.visible.value.rows.length;
  return (
    <div
      class="tl-rows"
      ref={rowsRef}
      role="treegrid"
      aria-label="Spans"
      aria-rowcount={count + 1}
      aria-colcount={COLUMNS.length}
      tabIndex={-1}
    >
      <div role="row" class="unseen" aria-rowindex={1}>
        {COLUMNS.map((name) => (
          <span key={name} role="columnheader">
            {name}
          </span>
        ))}
      </div>
    </div>
  );
}

interface DetailsProps {
  readonly context: TraceContext;
  readonly detailsRef: { current: HTMLDivElement | null };
}

function Details({ context, detailsRef }: DetailsProps): JSX.Element {
  const { model } = context;
  const open = model.sidePanel.value ? [] : model.openRows.value;
  return (
    <div class="tl-details" ref={detailsRef}>
      {open.map((row) => (
        <MeasuredDetail key={row} context={context} row={row} />
      ))}
    </div>
  );
}

/** Tells the model how high it is, so that the rows below make room. */
function MeasuredDetail({ context, row }: { context: TraceContext; row: number }): JSX.Element {
  const { model } = context;
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const watched = element.current!;
    const observer = new ResizeObserver(() => {
      if (watched.offsetHeight > 0) model.setDetailHeight(row, watched.offsetHeight);
    });
    observer.observe(watched);
    return () => observer.disconnect();
  }, [model, row]);
  return (
    <div class="tl-detail" ref={element} data-row={row}>
      <SpanDetailPanel context={context} row={row} onClose={() => model.closeDetails(row)} />
    </div>
  );
}
