/** The head of a trace's page: its name and totals, find, views and what can be done with it. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { archiveTrace } from "../data/server-source.ts";
import { durationText } from "../layout/duration-text.ts";
import { copyText } from "./copy.ts";
import { exactInstant } from "./exact-instant.ts";
import { Check, FindBox } from "./find-box.tsx";
import { KeyMapPicker } from "./key-help.tsx";
import { Menu } from "./menu.tsx";
import { serverFacts, uiConfig, zone, zoneLabel } from "./page-facts.ts";
import type { Embedding } from "./page-facts.ts";
import { Popover } from "./popover.tsx";
import { basePath, hrefOf, place } from "./router.ts";
import { counted } from "./row-text.ts";
import { safeHref } from "./safe-link.ts";
import { linksOfTrace } from "./span-links.ts";
import { say } from "./toasts.tsx";
import { wholeOf } from "./trace-model.ts";
import type { TraceModel } from "./trace-model.ts";
import type { TraceContext, TraceViewName } from "./trace-context.ts";
import { TraceIcon } from "./trace-icon.tsx";
import type { TraceIconName } from "./trace-icon.tsx";
import type { TraceUi } from "./trace-ui.ts";

export interface TraceHeaderProps {
  readonly context: TraceContext;
  readonly ui: TraceUi;
  readonly embedding: Embedding;
  readonly findRef: { current: HTMLInputElement | null };
}

export function TraceHeader({ context, ui, embedding, findRef }: TraceHeaderProps): JSX.Element {
  const summary = useSignal(!embedding.collapseTitle);
  const from = place.value.state["fromSearch"];
  const hidden = embedding.embedded && embedding.hideSummary;
  return (
    <header class="trace-head">
      <div class="trace-bar">
        {typeof from === "string" && (
          <a class="button quiet icon" href={hrefOf(from)} aria-label="Back to search">
            <TraceIcon name="back" />
          </a>
        )}
        <Title context={context} open={summary} />
        <FindBox context={context} inputRef={findRef} />
        <Settings context={context} ui={ui} />
        {!embedding.embedded && <Views ui={ui} context={context} />}
        {!embedding.embedded && <Archive context={context} />}
        <Act label="Copy link to this view" icon="link" run={() => context.copyLink()} />
        <Act label="Download as JSON" icon="download" run={() => void download(context)} />
      </div>
      {summary.value && !hidden && <Summary context={context} />}
    </header>
  );
}

interface TitleProps {
  readonly context: TraceContext;
  readonly open: { value: boolean };
}

function Title({ context, open }: TitleProps): JSX.Element {
  const columns = context.model.columns.value;
  const service = columns?.services[columns.service[0] ?? 0] ?? "";
  const name = columns?.names[columns.name[0] ?? 0] ?? "";
  const id = columns?.traceIdHex ?? "";
  return (
    <div class="trace-title">
      <button
        type="button"
        class="button quiet icon"
        aria-label="Totals"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.value;
        }}
      >
        <TraceIcon name={open.value ? "down" : "collapse-one"} />
      </button>
      <h1 title={`${service}: ${name}`}>
        <span class="soft">{service}</span> {name}
      </h1>
      <button
        type="button"
        class="button quiet trace-id mono"
        title="Copy the trace ID"
        aria-label={`${id.slice(0, uiConfig.traceIdDisplayLength)} Copy the trace ID`}
        onClick={() => copyText(id)}
      >
        {id.slice(0, uiConfig.traceIdDisplayLength)}
        <TraceIcon name="copy" />
      </button>
      {linksOfTrace(context.model).map(({ url, text }) => (
        <a key={url} href={safeHref(url) ?? ""} target="_blank" rel="noopener noreferrer">
          {text}
        </a>
      ))}
    </div>
  );
}

function n(count: number): string {
  return count.toLocaleString("en");
}

function Summary({ context }: { context: TraceContext }): JSX.Element {
  const { model } = context;
  const columns = model.columns.value;
  const totals = model.totals.value;
  // Its line is there from the first, so that nothing moves when the trace comes.
  if (columns === undefined || totals === undefined) return <dl class="totals" />;
  const start = exactInstant(columns, 0, zone.value);
  const late = model.lateSpans.value;
  return (
    <dl class="totals">
      <Total name="Start">
        {start.slice(0, -10)}
        <span class="soft">{start.slice(-10)}</span>{" "}
        <span class="soft">{zoneLabel(zone.value)}</span>
      </Total>
      <Total name="Duration">{durationText(columns.durationNs)}</Total>
      <Total name="Services">{n(totals.services)}</Total>
      <Total name="Depth">{n(totals.depth)}</Total>
      <Total name="Spans">
        {model.complete.value ? n(totals.spans) : `${n(columns.loaded)} of ${n(totals.spans)}`}
      </Total>
      {totals.errors > 0 && (
        <Total name="Errors">
          <button
            type="button"
            class="link-button bad"
            title={`Show the next error${context.keyHint("Next error")}`}
            onClick={() => context.filters.stepError(1)}
          >
            {n(totals.errors)}
          </button>
        </Total>
      )}
      <Waited context={context} />
      {totals.orphans > 0 && (
        <div>
          <span class="pill warn" title={`${counted(totals.orphans, "span")} without its parent`}>
            Incomplete
          </span>
        </div>
      )}
      {late > 0 && (
        <div role="status">
          <button type="button" class="button" onClick={() => void applyLate(model)}>
            {counted(late, "late span")} — apply
          </button>
        </div>
      )}
    </dl>
  );
}

async function applyLate(model: TraceModel): Promise<void> {
  try {
    await model.loading.grow();
  } catch (error) {
    if (model.signal.aborted) return;
    say(`The trace stays as it was: ${error instanceof Error ? error.message : String(error)}`, {
      bad: true,
    });
  }
}

/** What most of the time went into: the first answer to why a trace took as long as it did. */
function Waited({ context }: { context: TraceContext }): JSX.Element | null {
  const { model } = context;
  const columns = model.columns.value;
  const waited = model.waited.value;
  if (columns === undefined || waited === undefined) return null;
  const service = columns.services[columns.service[waited.row]!] ?? "";
  const name = columns.names[columns.name[waited.row]!] ?? "";
  const share = Math.round((waited.totalNs / wholeOf(columns)) * 100);
  return (
    <div class="waited">
      <dt title="The critical path: lines below bars mark what the trace was waiting for">
        <span class="critical-sign" /> Waited most for
      </dt>
      <dd>
        <button
          type="button"
          class="link-button"
          title="Show the longest of them; C goes along the whole critical path"
          onClick={() => {
            model.showRow(waited.row);
            context.focusCursor();
          }}
        >
          {service} {name}
        </button>{" "}
        <span class="soft">
          {waited.spans > 1 && `×${n(waited.spans)} `}
          {durationText(waited.totalNs)}, {share} %
        </span>
      </dd>
    </div>
  );
}

function Total({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Settings({ context, ui }: { context: TraceContext; ui: TraceUi }): JSX.Element {
  const { model } = context;
  const open = useSignal(false);
  return (
    <Popover label="Settings of the page" open={open} button={<TraceIcon name="gear" />}>
      <div class="filters">
        <Check name="Show the timeline" on={model.barsShown} />
        {uiConfig.traceTimeline.enableSidePanel && (
          <Check name="Details at the side" on={model.sidePanel} />
        )}
        <Check name="Dense rows" on={model.dense} />
        {uiConfig.criticalPathEnabled && (
          <Check name="Critical path (c)" on={model.criticalShown} />
        )}
        {serverFacts.isSpoor && (
          <label class="check">
            <input
              type="checkbox"
              checked={ui.skew.value !== "off"}
              onChange={() => {
                ui.skew.value = ui.skew.peek() === "off" ? "on" : "off";
              }}
            />
            Correct clocks that differ
          </label>
        )}
        <KeyMapPicker ui={ui} />
        <button
          type="button"
          class="button"
          onClick={() => {
            open.value = false;
            context.openDialog("help");
          }}
        >
          Keys (?)
        </button>
      </div>
    </Popover>
  );
}

const VIEW_NAMES: readonly (readonly [TraceViewName, string])[] = [
  ["timeline", "Timeline"],
  ["json", "Trace JSON"],
  ["json-raw", "Trace JSON, as stored"],
];

function Views({ context, ui }: { context: TraceContext; ui: TraceUi }): JSX.Element {
  const now = VIEW_NAMES.find(([view]) => view === ui.view.value)?.[1] ?? "";
  const shown = uiConfig.disableJsonView ? VIEW_NAMES.slice(0, 1) : VIEW_NAMES;
  return (
    <Menu label={`View: ${now}`} button={<>{now} ▾</>}>
      {shown.map(([view, name]) => (
        <button
          key={view}
          type="button"
          role="menuitemradio"
          aria-checked={view === ui.view.value}
          onClick={() => context.showView(view)}
        >
          {name}
        </button>
      ))}
    </Menu>
  );
}

function Archive({ context }: { context: TraceContext }): JSX.Element | null {
  const busy = useSignal(false);
  const id = context.model.columns.value?.traceIdHex;
  if (!uiConfig.archiveEnabled || !serverFacts.archiveStorage || id === undefined) return null;
  const archive = async (): Promise<void> => {
    busy.value = true;
    try {
      await archiveTrace(basePath(), id, context.model.signal);
      say("The trace is archived: retention does not reach it there.");
    } catch (error) {
      say(`Not archived: ${error instanceof Error ? error.message : String(error)}`, { bad: true });
    }
    busy.value = false;
  };
  return (
    <Act label="Archive the trace" icon="archive" run={() => void archive()} off={busy.value} />
  );
}

interface ActProps {
  readonly label: string;
  readonly icon: TraceIconName;
  readonly run: () => void;
  readonly off?: boolean;
}

function Act({ label, icon, run, off = false }: ActProps): JSX.Element {
  return (
    <button
      type="button"
      class="button quiet icon"
      title={label}
      aria-label={label}
      disabled={off}
      onClick={run}
    >
      <TraceIcon name={icon} />
    </button>
  );
}

async function download({ model }: TraceContext): Promise<void> {
  try {
    const url = URL.createObjectURL(await model.source.json(false, model.signal));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${model.columns.peek()?.traceIdHex ?? "trace"}.json`;
    link.click();
    // The click has taken the address by the next task.
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  } catch (error) {
    say(`No download: ${error instanceof Error ? error.message : String(error)}`, { bad: true });
  }
}
