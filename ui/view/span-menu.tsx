/** What can be done with a span: the menu on right click, `.` or the menu key. */

import { useEffect, useRef } from "preact/hooks";
import type { JSX } from "preact";
import { isCompared, toggleCompared } from "./compare-trace.ts";
import { copyText } from "./copy.ts";
import { spanIdHexOf } from "../layout/span-ids.ts";
import { hrefOf } from "./router.ts";
import type { TraceContext } from "./trace-context.ts";
import {
  chainState,
  focusSubtree,
  hideServices,
  hideSubtree,
  showHidden,
  toggleChain,
  toggleSiblings,
} from "./tree-folding.ts";

export interface SpanMenuProps {
  readonly context: TraceContext;
  readonly row: number;
  /** Place on the screen, px. */
  readonly x: number;
  readonly y: number;
  readonly onClose: () => void;
}

const WIDTH = 260;
const HEIGHT = 470;

export function SpanMenu({ context, row, x, y, onClose }: SpanMenuProps): JSX.Element | null {
  const menu = useRef<HTMLDivElement>(null);
  useEffect(() => {
    menu.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const away = (event: Event): void => {
      const target = event.target instanceof Node ? event.target : null;
      if (menu.current?.contains(target) !== true) onClose();
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, [row]);
  const items = menuItems(context, row);
  const left = Math.max(4, Math.min(x, innerWidth - WIDTH));
  const top = Math.max(4, Math.min(y, innerHeight - HEIGHT));
  const onKey = (event: KeyboardEvent): void => {
    const all = [...(menu.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = all.findIndex((item) => item === document.activeElement);
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by !== 0) all[(at + by + all.length) % all.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") {
      onClose();
      context.focusCursor();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      class="span-menu popup"
      role="menu"
      aria-label="Actions of the span"
      ref={menu}
      style={{ left: `${left}px`, top: `${top}px` }}
      onKeyDown={onKey}
    >
      {items.map(({ title, run, href, away }) =>
        href === undefined ? (
          <button
            key={title}
            type="button"
            role="menuitem"
            tabIndex={-1}
            onClick={() => {
              onClose();
              run?.();
            }}
          >
            {title}
          </button>
        ) : (
          <a
            key={title}
            role="menuitem"
            tabIndex={-1}
            href={href}
            {...(away === true ? { target: "_blank", rel: "noopener" } : {})}
            onClick={onClose}
          >
            {title}
          </a>
        ),
      )}
    </div>
  );
}

interface MenuItem {
  readonly title: string;
  readonly run?: () => void;
  readonly href?: string;
  /** The link opens a tab of its own. */
  readonly away?: boolean;
}

function menuItems(context: TraceContext, row: number): MenuItem[] {
  const { model, filters } = context;
  const columns = model.columns.peek();
  if (columns === undefined) return [];
  const service = columns.services[columns.service[row]!] ?? "";
  const name = columns.names[columns.name[row]!] ?? "";
  const query = new URLSearchParams({ service, operation: name });
  const find = (text: string): void => {
    filters.text.value = text;
  };
  return [
    { title: "Details", run: () => model.toggleDetails(row) },
    { title: "Zoom to this span", run: () => model.zoomToRow(row) },
    { title: "Find spans of this name", run: () => find(`"${name}"`) },
    { title: "Find spans of this service", run: () => find(`"${service}"`) },
    { title: "Only what is below", run: () => focusSubtree(model, row) },
    { title: "Hide this and what is below", run: () => hideSubtree(model, row) },
    ...(model.skipped.peek().size > 0 || model.within.peek() >= 0
      ? [{ title: "Show hidden spans again", run: () => showHidden(model) }]
      : []),
    ...(chainState(model, row) === ""
      ? []
      : [
          {
            title: chainState(model, row) === "folded" ? "Open the chain" : "Fold the chain",
            run: () => toggleChain(model, row),
          },
        ]),
    { title: "Hide this service", run: () => hideService(context, columns.service[row]!) },
    { title: "Collapse or expand siblings", run: () => toggleSiblings(model, row) },
    { title: "Copy name", run: () => copyText(name) },
    { title: "Copy span ID", run: () => copyText(spanIdHexOf(columns, row)) },
    { title: "Copy link to this span", run: () => context.copyLink(row) },
    { title: "Open in a new tab", href: context.linkTo(row), away: true },
    {
      title: isCompared(columns) ? "Take the trace from compare" : "Add the trace to compare",
      run: () => toggleCompared(columns),
    },
    {
      title: "This operation in other traces",
      href: hrefOf(`/search?${query.toString()}`),
    },
  ];
}

function hideService({ model }: TraceContext, service: number): void {
  const hidden = model.hiddenServices.peek().slice();
  hidden[service] = 1;
  hideServices(model, hidden);
}
