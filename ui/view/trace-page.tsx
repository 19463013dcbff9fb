/** One trace: header, minimap, timeline, details. */

import { effect, useComputed } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { JSX } from "preact";
import { traceSource } from "../data/open-source.ts";
import type { TraceColumns } from "../data/trace-columns.ts";
import type { AttributeText } from "../data/trace-source.ts";
import { animalOf } from "../data/trace-ids.ts";
import { readPalette } from "../draw/palette.ts";
import { huesOf } from "../layout/service-hues.ts";
import { readTraceAddress } from "../layout/trace-address.ts";
import { rowsOfSpanIds } from "../layout/span-ids.ts";
import { openPalette, registerCommands } from "./command-palette.tsx";
import { BarHint } from "./bar-hint.tsx";
import { LegendStrip } from "./color-legend.tsx";
import { follow } from "./follow.ts";
import { KeyHelp, keyText } from "./key-help.tsx";
import { embeddingOf, uiConfig } from "./page-facts.ts";
import { RangeBar } from "./range-bar.tsx";
import { Resizer } from "./resizer.tsx";
import { basePath, goTo, place } from "./router.ts";
import { copyLink, linkTo } from "./share-link.ts";
import { SpanDetailPanel } from "./span-detail.tsx";
import { SpanMenu } from "./span-menu.tsx";
import { theme } from "./theme.ts";
import type { TimelineView } from "./timeline-view.ts";
import type { TraceAction } from "./trace-actions.ts";
import type { TraceContext } from "./trace-context.ts";
import { NotAllThere, TraceFailure } from "./trace-failure.tsx";
import { TraceFilters } from "./trace-filters.ts";
import { TraceHeader } from "./trace-header.tsx";
import { TraceJson } from "./trace-json.tsx";
import { listenToKeys } from "./trace-keys.ts";
import { TraceMinimap } from "./trace-minimap.tsx";
import { TraceModel } from "./trace-model.ts";
import { TraceTimeline } from "./trace-timeline.tsx";
import { TraceUi } from "./trace-ui.ts";
import { keepCursorSeen } from "./tree-folding.ts";
import { followAddress } from "./trace-url.ts";
import type { FollowedAddress } from "./trace-url.ts";

/** How often a server is asked whether the trace has grown, ms. */
const LATE_EVERY_MS = 10_000;
const MIN_PANEL = 240;

export interface TracePageProps {
  /** As the address has it; canonical once the trace is there. */
  readonly traceIdHex: string;
}

/** The page of one trace; another trace, or other clocks, are another page. */
export function TracePage({ traceIdHex }: TracePageProps): JSX.Element {
  const skew = useComputed(() => readTraceAddress(place.value.query).skew).value;
  return <OneTrace key={`${traceIdHex} ${skew}`} {...{ traceIdHex, skew }} />;
}

interface OneTraceProps extends TracePageProps {
  readonly skew: "" | "on" | "off";
}

function OneTrace({ traceIdHex, skew }: OneTraceProps): JSX.Element {
  const findInput = useRef<HTMLInputElement>(null);
  const root = useRef<HTMLDivElement>(null);
  const view = useRef<TimelineView | undefined>(undefined);
  const address = useRef<FollowedAddress | undefined>(undefined);
  const page = useMemo(() => {
    const clockSkew = skew === "" ? {} : { clockSkew: skew };
    const source = traceSource({ base: basePath(), traceId: traceIdHex, ...clockSkew });
    const model = new TraceModel(source);
    const ui = new TraceUi();
    ui.skew.value = skew;
    const filters = new TraceFilters(model);
    const context = contextOf(model, filters, ui, { address, findInput, view });
    return { model, ui, filters, context };
  }, [traceIdHex, skew]);
  const { model, ui, filters, context } = page;
  useEffect(() => {
    const restore = ui.remember(model);
    const followed = followAddress(model, filters, ui);
    address.current = followed;
    const stops = [
      restore,
      followed.stop,
      keepPalette(model, root.current!),
      model.colors.keep(root.current!),
      keepTitle(model),
      keepCursorSeen(model),
      watchLate(model),
      listenToKeys(context, rowsElement, {
        keys: () => ui.keys.peek(),
        singleKeys: () => ui.singleKeys.peek(),
      }),
      effect(() => registerCommands(commandsOf(context, ui.actions.value))),
    ];
    void model.loading.load();
    return () => {
      for (const stop of stops) stop();
      filters.close();
      model.close();
    };
  }, [page]);
  // An embedded page stays one: its query changes with every move within the trace.
  const embedding = useMemo(() => embeddingOf(place.peek().query), [page]);
  const failure = model.failure.value;
  return (
    <div class={`trace ${embedding.embedded ? "is-embedded" : ""}`} ref={root}>
      {failure !== undefined ? (
        <TraceFailure
          failure={failure}
          traceId={traceIdHex}
          onRetry={() => void model.loading.load()}
        />
      ) : (
        <>
          <TraceHeader {...{ context, ui, embedding }} findRef={findInput} />
          {model.loading.underWay.value && (
            <div class="progress" role="status" aria-label="Loading" />
          )}
          <NotAllThere model={model} />
          <TraceBody {...{ context, ui }} hideMinimap={embedding.hideMinimap} viewRef={view} />
        </>
      )}
      {ui.help.value && (
        <KeyHelp
          ui={ui}
          onClose={() => {
            ui.help.value = false;
          }}
        />
      )}
      <BarHint context={context} />
      {ui.menu.value !== undefined && (
        <SpanMenu
          context={context}
          {...ui.menu.value}
          onClose={() => {
            ui.menu.value = undefined;
          }}
        />
      )}
    </div>
  );
}

function rowsElement(): HTMLElement | undefined {
  return document.querySelector<HTMLElement>(".tl-rows") ?? undefined;
}

interface TraceBodyProps {
  readonly context: TraceContext;
  readonly ui: TraceUi;
  readonly hideMinimap: boolean;
  readonly viewRef: { current: TimelineView | undefined };
}

function TraceBody({ context, ui, hideMinimap, viewRef }: TraceBodyProps): JSX.Element {
  const { model } = context;
  if (ui.view.value !== "timeline") {
    return <TraceJson model={model} raw={ui.view.value === "json-raw"} />;
  }
  const panel = model.sidePanel.value;
  const width = model.body.value.width + ui.panelWidth.value;
  return (
    <>
      {!hideMinimap && model.barsShown.value && <TraceMinimap model={model} />}
      <LegendStrip context={context} />
      <div class="trace-main">
        <TraceTimeline
          context={context}
          onView={(view) => {
            viewRef.current = view;
          }}
        />
        {panel && (
          <>
            <Resizer
              label="Width of the timeline"
              value={model.body.value.width}
              min={Math.round(width * 0.3)}
              max={Math.max(MIN_PANEL, width - MIN_PANEL)}
              onChange={(left) => {
                ui.panelWidth.value = Math.max(MIN_PANEL, width - left);
              }}
            />
            <aside class="trace-panel" style={{ width: `${ui.panelWidth.value}px` }}>
              <SpanDetailPanel
                key={Math.max(0, model.selectedRow.value)}
                context={context}
                row={Math.max(0, model.selectedRow.value)}
                onClose={() => {
                  model.sidePanel.value = false;
                }}
              />
            </aside>
          </>
        )}
        <RangeBar model={model} />
      </div>
    </>
  );
}

interface PageElements {
  readonly address: { current: FollowedAddress | undefined };
  readonly findInput: { current: HTMLInputElement | null };
  readonly view: { current: TimelineView | undefined };
}

function contextOf(
  model: TraceModel,
  filters: TraceFilters,
  ui: TraceUi,
  { address, findInput, view }: PageElements,
): TraceContext {
  return {
    model,
    filters,
    focusCursor: () => view.current?.focusRow(model.cursorRow.peek()),
    focusFind: () => {
      findInput.current?.focus();
      findInput.current?.select();
    },
    escape: () => {
      if (ui.hint.peek() !== undefined) ui.hint.value = undefined;
      else if (model.range.peek() !== undefined) model.range.value = undefined;
      else if (filters.text.peek() !== "") filters.text.value = "";
      else if (findInput.current === document.activeElement) findInput.current?.blur();
    },
    copyLink: (row) => void copyLink(model, address.current, row),
    linkTo: (row) => linkTo(model, row),
    openMenu: (row, at) => {
      const box = rowsElement()?.querySelector(`[data-row="${row}"]`)?.getBoundingClientRect();
      ui.menu.value = { row, x: at?.x ?? (box?.left ?? 0) + 120, y: at?.y ?? box?.bottom ?? 100 };
    },
    findAttribute: ({ key, text }: AttributeText) => {
      filters.text.value = `"${key}=${text.slice(0, 200)}"`;
      findInput.current?.focus();
    },
    showSpan: (hex) => {
      const columns = model.columns.peek();
      const row = columns === undefined ? -1 : (rowsOfSpanIds(columns, [hex])[0] ?? -1);
      if (row < 0) return;
      model.showRow(row);
      model.openDetails(row);
      view.current?.focusRow(row);
    },
    keyHint: (title) => {
      const key = ui.actions.value.find((action) => action.title === title)?.keys[0];
      return key === undefined ? "" : ` (${keyText(key)})`;
    },
    openDialog: (name) => {
      if (name === "help") ui.help.value = true;
      else openPalette();
    },
    hint: ui.hint,
    detailTab: ui.detailTab,
    showView: (name) => {
      ui.view.value = name;
    },
    goToSearch: () => {
      const from = place.peek().state["fromSearch"];
      goTo(typeof from === "string" ? from : "/search");
    },
  };
}

/** Reads the colours again with each trace and theme. */
function keepPalette(model: TraceModel, element: Element): () => void {
  const forced = matchMedia("(forced-colors: active)");
  const read = (): void => {
    const columns = model.columns.peek();
    if (columns !== undefined) model.palette.value = readPalette(element, huesOf(columns.services));
  };
  forced.addEventListener("change", read);
  const stop = effect(() => {
    follow(theme.value, model.columns.value);
    read();
  });
  return () => {
    stop();
    forced.removeEventListener("change", read);
  };
}

function keepTitle(model: TraceModel): () => void {
  const before = document.title;
  const stop = effect(() => {
    const columns = model.columns.value;
    if (columns === undefined || model.loadedRows.value === 0) return;
    const service = columns.services[columns.service[0]!] ?? "";
    const name = columns.names[columns.name[0]!] ?? "";
    const id = columns.traceIdHex.slice(0, uiConfig.traceIdDisplayLength);
    document.title = `${animalOf(columns.traceIdHex)} ${id}: ${name} (${service}) — Spoor`;
  });
  return () => {
    stop();
    document.title = before;
  };
}

/** Asks now and then whether more spans have come; a page nobody looks at asks nothing. */
function watchLate(model: TraceModel): () => void {
  let waits = false;
  const ask = async (columns: TraceColumns): Promise<void> => {
    waits = true;
    try {
      const late = await model.source.lateSpans(columns, model.signal);
      if (columns === model.columns.peek()) model.lateSpans.value = late;
    } catch {
      // It is asked again.
    } finally {
      waits = false;
    }
  };
  const timer = setInterval(() => {
    const columns = model.columns.peek();
    // One question at a time: a server that does not answer keeps its connection.
    if (columns === undefined || !model.complete.peek() || document.hidden || waits) return;
    void ask(columns);
  }, LATE_EVERY_MS);
  return () => clearInterval(timer);
}

function commandsOf(
  context: TraceContext,
  actions: readonly TraceAction[],
): Parameters<typeof registerCommands>[0] {
  return actions
    .filter((action) => action.inTree !== true)
    .map((action) => ({
      group: action.group,
      title: action.title,
      keys: action.keys.map(keyText).join("  "),
      run: () => action.run(context),
    }));
}
