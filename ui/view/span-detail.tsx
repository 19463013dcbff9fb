/** SpanDetailPanel: all of one span, beneath its row or beside the timeline. */

import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { ComponentChildren, JSX } from "preact";
import { genAiOf } from "../data/gen-ai.ts";
import { rowsOfSpanIds } from "../layout/span-ids.ts";
import { durationText } from "../layout/duration-text.ts";
import { exactInstant } from "./exact-instant.ts";
import type { AttributeText, EventDetail, LinkDetail, SpanDetail } from "../data/trace-source.ts";
import { AttributeTable, IconAction } from "./attribute-table.tsx";
import { copyText } from "./copy.ts";
import { GenAiTab } from "./gen-ai-tab.tsx";
import { hrefOf } from "./router.ts";
import { uiConfig, zone } from "./page-facts.ts";
import { linksOfAttribute } from "./span-links.ts";
import { Tabs } from "./tabs.tsx";
import type { TraceContext } from "./trace-context.ts";
import { TraceIcon } from "./trace-icon.tsx";
import type { TraceModel } from "./trace-model.ts";
import { spanWords } from "./trace-words.ts";
import { Waiting } from "./waiting.tsx";

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const EVENTS_SHOWN = 3;

export interface SpanDetailPanelProps {
  readonly context: TraceContext;
  readonly row: number;
  readonly onClose: () => void;
}

export function SpanDetailPanel({ context, row, onClose }: SpanDetailPanelProps): JSX.Element {
  const { model } = context;
  const columns = model.columns.value;
  const detail = model.details.get(row);
  const failure = model.details.failure.value;
  useEffect(() => model.details.want([row]), [model, row, columns]);
  if (columns === undefined) return <div class="detail" />;
  const service = columns.services[columns.service[row]!] ?? "";
  const name = columns.names[columns.name[row]!] ?? "";
  return (
    <section class="detail" aria-label={`Span ${service}: ${name}`}>
      <header class="detail-head">
        <h2>{name}</h2>
        <IconAction
          label="Copy link to this span"
          sign={<TraceIcon name="link" />}
          onClick={() => context.copyLink(row)}
        />
        <IconAction
          label="Actions of the span"
          sign={<TraceIcon name="more" />}
          onClick={(event) => {
            const { left, bottom } = event.currentTarget.getBoundingClientRect();
            context.openMenu(row, { x: left, y: bottom });
          }}
        />
        <IconAction label="Close details" sign={<TraceIcon name="close" />} onClick={onClose} />
      </header>
      <Facts model={model} row={row} detail={detail} />
      {detail === undefined && failure === "" && (
        <Waiting label="Loading details" onRetry={() => model.details.wantAgain([row])} />
      )}
      {detail === undefined && failure !== "" && (
        <p class="bad" role="alert">
          {failure}{" "}
          <button type="button" class="button" onClick={() => model.details.want([row])}>
            Try again
          </button>
        </p>
      )}
      {detail !== undefined && <Tabbed context={context} detail={detail} service={service} />}
    </section>
  );
}

/** Calls to models have a second tab; which one is shown is the same for all of them. */
function Tabbed(props: SectionsProps): JSX.Element {
  const { context, detail } = props;
  const genAi = useMemo(() => genAiOf(detail), [detail]);
  if (genAi === undefined) return <Sections {...props} />;
  const { row } = detail;
  const shown = context.detailTab.value;
  return (
    <>
      <Tabs
        label="Parts of the details"
        tabs={[
          [`span-${row}`, "Span"],
          [`genai-${row}`, "GenAI"],
        ]}
        value={`${shown}-${row}`}
        onChange={(key) => {
          context.detailTab.value = key.startsWith("genai") ? "genai" : "span";
        }}
      />
      <div
        class="detail-tab"
        role="tabpanel"
        id={`panel-${shown}-${row}`}
        aria-labelledby={`tab-${shown}-${row}`}
      >
        {shown === "genai" ? <GenAiTab genAi={genAi} /> : <Sections {...props} />}
      </div>
    </>
  );
}

interface FactsProps {
  readonly model: TraceModel;
  readonly row: number;
  readonly detail: SpanDetail | undefined;
}

function Facts({ model, row, detail }: FactsProps): JSX.Element {
  const columns = model.columns.value!;
  const start = columns.startOffsetNs[row]!;
  const duration = columns.spanDurationNs[row]!;
  const share = columns.durationNs === 0 ? 1 : duration / columns.durationNs;
  return (
    <dl class="facts">
      <Fact name="Service">{columns.services[columns.service[row]!]}</Fact>
      <Fact name="Duration">
        {durationText(duration)} <span class="soft">{(share * 100).toFixed(1)} %</span>
      </Fact>
      <Fact name="Start">
        {durationText(start)} <span class="soft">{exactInstant(columns, start, zone.value)}</span>
      </Fact>
      <Fact name="Kind">{KINDS[columns.kind[row]!] ?? "unspecified"}</Fact>
      {detail !== undefined && detail.status !== "UNSET" && (
        <Fact name="Status">
          <span class={detail.status === "ERROR" ? "bad" : ""}>
            {detail.status} {detail.statusMessage}
          </span>
        </Fact>
      )}
      {detail !== undefined && (
        <Fact name="Span ID">
          <code>{detail.spanIdHex}</code>{" "}
          <IconAction
            label="Copy span ID"
            sign={<TraceIcon name="copy" />}
            onClick={() => copyText(detail.spanIdHex)}
          />
        </Fact>
      )}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** By key as in Jaeger, those with the operator's prefixes before the others. */
function ordered(attributes: readonly AttributeText[]): readonly AttributeText[] {
  const prefixes = uiConfig.topTagPrefixes.map((prefix) => prefix.toLowerCase());
  const place = (key: string): number => {
    const at = prefixes.findIndex((prefix) => key.startsWith(prefix));
    return at < 0 ? prefixes.length : at;
  };
  return attributes
    .map((attribute) => ({ attribute, key: attribute.key.toLowerCase() }))
    .toSorted((a, b) => place(a.key) - place(b.key) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ attribute }) => attribute);
}

interface SectionsProps {
  readonly context: TraceContext;
  readonly detail: SpanDetail;
  readonly service: string;
}

function Sections({ context, detail, service }: SectionsProps): JSX.Element {
  const { model } = context;
  const words = spanWords(uiConfig.useOpenTelemetryTerms);
  const { warnings } = detail;
  const scope: AttributeText[] = [];
  if (detail.scopeName !== "") scope.push(plain("name", detail.scopeName));
  if (detail.scopeVersion !== "") scope.push(plain("version", detail.scopeVersion));
  scope.push(...detail.scope);
  const table = (
    caption: string,
    kind: "attributes" | "resource" | "scope",
    attributes: readonly AttributeText[],
  ): JSX.Element => (
    <AttributeTable
      caption={caption}
      attributes={attributes}
      linksOf={(attribute) => linksOfAttribute(model, detail, kind, attribute)}
      onFind={(attribute) => context.findAttribute(attribute)}
      searchHref={kind === "attributes" ? searchHrefOf(service) : undefined}
    />
  );
  return (
    <>
      {warnings.length > 0 && (
        <Section title="Warnings" count={warnings.length} tone="warn" open>
          <ul class="warnings">
            {warnings.map((text, i) => (
              <li key={i}>{text}</li>
            ))}
          </ul>
        </Section>
      )}
      {detail.attributes.length > 0 && (
        <Section title={words.attributes} count={detail.attributes.length} open>
          {table(words.attributes, "attributes", ordered(detail.attributes))}
        </Section>
      )}
      <Section title={words.resource} count={detail.resource.length}>
        {table(words.resource, "resource", detail.resource)}
      </Section>
      {scope.length > 0 && (
        <Section title="Scope" count={scope.length}>
          {table("Scope", "scope", scope)}
        </Section>
      )}
      <Events context={context} detail={detail} title={words.events} />
      {detail.links.length > 0 && (
        <Section title={words.links} count={detail.links.length} open>
          <Links context={context} links={detail.links} />
        </Section>
      )}
      {detail.linkedFrom.length > 0 && (
        <Section title="Linked from" count={detail.linkedFrom.length} open>
          <LinkedFrom context={context} spanIds={detail.linkedFrom} />
        </Section>
      )}
      {detail.traceState !== "" && (
        <Section title="Trace state" count={1}>
          <code class="wrap">{detail.traceState}</code>
        </Section>
      )}
    </>
  );
}

function plain(key: string, text: string): AttributeText {
  return { key, type: "string", text };
}

function searchHrefOf(service: string): (attribute: AttributeText) => string {
  return ({ key, text }) => {
    const query = new URLSearchParams({ service, tags: JSON.stringify({ [key]: text }) });
    return hrefOf(`/search?${query.toString()}`);
  };
}

interface SectionProps {
  readonly title: string;
  readonly count: number;
  readonly open?: boolean;
  readonly tone?: string;
  readonly children: ComponentChildren;
}

function Section({ title, count, open = false, tone = "", children }: SectionProps): JSX.Element {
  const shown = useSignal(open);
  return (
    <div class={`detail-section ${tone}`}>
      <h3>
        <button
          type="button"
          class="detail-toggle"
          aria-expanded={shown.value}
          onClick={() => {
            shown.value = !shown.value;
          }}
        >
          <span aria-hidden="true">{shown.value ? "▾" : "▸"}</span> {title}{" "}
          <span class="soft">{count}</span>
        </button>
      </h3>
      {shown.value && children}
    </div>
  );
}

interface EventsProps {
  readonly context: TraceContext;
  readonly detail: SpanDetail;
  readonly title: string;
}

/** The events within the window; the others are a click away, and so are those after the third. */
function Events({ context, detail, title }: EventsProps): JSX.Element | null {
  const { model } = context;
  const everywhere = useSignal(false);
  const most = useSignal(EVENTS_SHOWN);
  if (detail.events.length === 0) return null;
  const { fromNs, toNs } = model.window.value;
  const inside = everywhere.value
    ? detail.events
    : detail.events.filter((event) => event.offsetNs >= fromNs && event.offsetNs <= toNs);
  const outside = detail.events.length - inside.length;
  const more = inside.length - most.value;
  return (
    <Section title={title} count={detail.events.length} open>
      <ol class="events">
        {inside.slice(0, most.value).map((event, i) => (
          <li key={i}>
            <EventItem context={context} detail={detail} event={event} />
          </li>
        ))}
      </ol>
      {more > 0 && (
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            most.value = inside.length;
          }}
        >
          Show {more} more
        </button>
      )}
      {outside > 0 && (
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            everywhere.value = true;
          }}
        >
          {outside} outside the window: show all
        </button>
      )}
    </Section>
  );
}

interface EventItemProps {
  readonly context: TraceContext;
  readonly detail: SpanDetail;
  readonly event: EventDetail;
}

function EventItem({ context, detail, event }: EventItemProps): JSX.Element {
  return (
    <>
      <span class="event-time">{durationText(event.offsetNs)}</span> <b>{event.name}</b>
      {event.attributes.length > 0 && (
        <AttributeTable
          caption={event.name}
          attributes={event.attributes}
          linksOf={(attribute) => linksOfAttribute(context.model, detail, "events", attribute)}
          onFind={(attribute) => context.findAttribute(attribute)}
        />
      )}
    </>
  );
}

interface LinkedFromProps {
  readonly context: TraceContext;
  readonly spanIds: readonly string[];
}

/** The spans that name this one in a link, by what they are called. */
function LinkedFrom({ context, spanIds }: LinkedFromProps): JSX.Element {
  const columns = context.model.columns.value;
  const rows = useMemo(
    () => (columns === undefined ? [] : rowsOfSpanIds(columns, spanIds)),
    [columns, spanIds],
  );
  const nameOf = (row: number): string => {
    if (columns === undefined || row < 0) return "a span";
    const service = columns.services[columns.service[row]!] ?? "";
    return `${service} ${columns.names[columns.name[row]!] ?? ""}`;
  };
  return (
    <ul class="links">
      {spanIds.map((hex, i) => (
        <li key={hex}>
          <button type="button" class="button quiet" onClick={() => context.showSpan(hex)}>
            {nameOf(rows[i] ?? -1)} <code>{hex}</code>
          </button>
        </li>
      ))}
    </ul>
  );
}

interface LinksProps {
  readonly context: TraceContext;
  readonly links: readonly LinkDetail[];
}

function Links({ context, links }: LinksProps): JSX.Element {
  const here = context.model.columns.value?.traceIdHex;
  return (
    <ul class="links">
      {links.map((link, i) => {
        const inside = link.traceIdHex === here;
        const query = `uiFind=${link.spanIdHex}`;
        return (
          <li key={i}>
            {inside ? (
              <button
                type="button"
                class="button quiet"
                onClick={() => context.showSpan(link.spanIdHex)}
              >
                {link.kind === "" ? "Link" : link.kind} to <code>{link.spanIdHex}</code>
              </button>
            ) : (
              <a href={hrefOf(`/trace/${link.traceIdHex}?${query}`)} target="_blank" rel="noopener">
                {link.kind === "" ? "Link" : link.kind} to another trace{" "}
                <code>{link.traceIdHex}</code>
              </a>
            )}
            {link.attributes.length > 0 && (
              <AttributeTable caption="Link" attributes={link.attributes} linksOf={() => []} />
            )}
          </li>
        );
      })}
    </ul>
  );
}
