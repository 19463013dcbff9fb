/** The tooltip of a bar: the events under the pointer, or what the critical path's line means. */

import type { JSX } from "preact";
import type { EventDetail } from "../data/trace-source.ts";
import { durationText } from "../layout/duration-text.ts";
import type { TraceContext } from "./trace-context.ts";

const WIDTH = 340;
const HEIGHT = 220;
const EVENTS_SHOWN = 3;
const ATTRIBUTES_SHOWN = 5;
const VALUE_SHOWN = 120;

/** What is under the pointer, and where that is on the screen. */
export interface PlacedHint {
  readonly row: number;
  readonly events: readonly number[];
  readonly x: number;
  readonly y: number;
}

export function BarHint({ context }: { context: TraceContext }): JSX.Element | null {
  const hint = context.hint.value;
  if (hint === undefined) return null;
  const left = Math.max(4, Math.min(hint.x + 12, innerWidth - WIDTH));
  const below = hint.y + 18 + HEIGHT < innerHeight;
  const place = below ? { top: `${hint.y + 18}px` } : { bottom: `${innerHeight - hint.y + 12}px` };
  return (
    <div class="bar-hint popup" role="tooltip" style={{ left: `${left}px`, ...place }}>
      {hint.events.length === 0 ? (
        <p>On the critical path: while this ran, the whole trace waited for it.</p>
      ) : (
        <HintedEvents context={context} {...hint} />
      )}
    </div>
  );
}

interface HintedEventsProps {
  readonly context: TraceContext;
  readonly row: number;
  readonly events: readonly number[];
}

function HintedEvents({ context, row, events }: HintedEventsProps): JSX.Element {
  const { details } = context.model;
  const detail = details.get(row);
  if (detail === undefined) {
    details.want([row]);
    return <p class="soft">Loading…</p>;
  }
  const found = events.flatMap((i) => detail.events[i] ?? []);
  const more = found.length - EVENTS_SHOWN;
  return (
    <>
      {found.slice(0, EVENTS_SHOWN).map((event, i) => (
        <HintedEvent key={i} event={event} />
      ))}
      {more > 0 && <p class="soft">and {more} more here</p>}
    </>
  );
}

function HintedEvent({ event }: { event: EventDetail }): JSX.Element {
  const { attributes } = event;
  const more = attributes.length - ATTRIBUTES_SHOWN;
  return (
    <div>
      <span class="event-time">{durationText(event.offsetNs)}</span> <b>{event.name}</b>
      <dl>
        {attributes.slice(0, ATTRIBUTES_SHOWN).map(({ key, text }, i) => (
          <div key={i}>
            <dt>{key}</dt>
            <dd>{text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text}</dd>
          </div>
        ))}
      </dl>
      {more > 0 && <p class="soft">and {more} more attributes</p>}
    </div>
  );
}
