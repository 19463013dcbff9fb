/** AttributeTable: keys and values of a span, a resource, an event; copied, searched, linked. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX, TargetedMouseEvent } from "preact";
import type { AttributeText } from "../data/trace-source.ts";
import { copyText } from "./copy.ts";
import { JsonTree, jsonOf } from "./json-tree.tsx";
import { TraceIcon } from "./trace-icon.tsx";
import { safeHref } from "./safe-link.ts";

/** Rows shown before "show all": a span may have hundreds of attributes. */
const ROWS_SHOWN = 60;
/** A longer value is cut until asked for. */
const VALUE_SHOWN = 600;

/** A link that the operator's patterns make of an attribute. */
export interface PatternLink {
  readonly url: string;
  readonly text: string;
}

export interface AttributeTableProps {
  readonly caption: string;
  readonly attributes: readonly AttributeText[];
  readonly linksOf: (attribute: AttributeText) => readonly PatternLink[];
  /** Finds what has this within the trace; without it there is no such button. */
  readonly onFind?: ((attribute: AttributeText) => void) | undefined;
  /** Address of the search for traces with this. */
  readonly searchHref?: ((attribute: AttributeText) => string) | undefined;
}

export function AttributeTable(props: AttributeTableProps): JSX.Element {
  const all = useSignal(false);
  const { attributes, caption } = props;
  const shown = all.value ? attributes : attributes.slice(0, ROWS_SHOWN);
  return (
    <>
      <table class="kv">
        <caption class="unseen">{caption}</caption>
        <colgroup>
          <col class="kv-keys" />
          <col />
          <col class="kv-ends" />
        </colgroup>
        <thead class="unseen">
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Value</th>
            <th scope="col">Actions</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((attribute, i) => (
            <AttributeRow key={`${i} ${attribute.key}`} attribute={attribute} {...props} />
          ))}
        </tbody>
      </table>
      {attributes.length > shown.length && (
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            all.value = true;
          }}
        >
          Show all {attributes.length}
        </button>
      )}
    </>
  );
}

interface AttributeRowProps extends AttributeTableProps {
  readonly attribute: AttributeText;
}

function AttributeRow({ attribute, linksOf, onFind, searchHref }: AttributeRowProps): JSX.Element {
  const { key, text } = attribute;
  const synthetic = key.startsWith("otel.");
  const links = linksOf(attribute);
  return (
    <tr>
      <th scope="row" title={synthetic ? `${key}: made by the tracing library` : undefined}>
        {key}
        {synthetic && <span class="kv-mark"> otel</span>}
      </th>
      <td>
        <AttributeValue attribute={attribute} links={links} />
      </td>
      <td class="kv-actions">
        <div class="kv-buttons">
          <IconAction
            label={`Copy value of ${key}`}
            sign={<TraceIcon name="copy" />}
            onClick={() => copyText(text)}
          />
          <IconAction
            label={`Copy ${key} as JSON`}
            sign={<TraceIcon name="json" />}
            onClick={() => copyText(attributeJson(attribute))}
          />
          {onFind !== undefined && (
            <IconAction
              label={`Find spans with this ${key}`}
              sign={<TraceIcon name="find" />}
              onClick={() => onFind(attribute)}
            />
          )}
          {searchHref !== undefined && (
            <a
              class="button quiet icon"
              href={searchHref(attribute)}
              title={`Search traces with this ${key}`}
              aria-label={`Search traces with this ${key}`}
            >
              <TraceIcon name="open" />
            </a>
          )}
        </div>
      </td>
    </tr>
  );
}

/** `{"key": value}`, numbers and booleans as such. */
function attributeJson({ key, type, text }: AttributeText): string {
  const plain = type === "bool" || (type === "double" && Number.isFinite(Number(text)));
  const exact = type === "int" && Number.isSafeInteger(Number(text));
  const nested = type === "array" || type === "map";
  const value: unknown = plain || exact || nested ? (jsonValue(text) ?? text) : text;
  return JSON.stringify({ [key]: value }, null, 2);
}

function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface IconActionProps {
  readonly label: string;
  readonly sign: ComponentChildren;
  readonly onClick: (event: TargetedMouseEvent<HTMLButtonElement>) => void;
}

/** A small button that says what it does to those who cannot see its sign. */
export function IconAction({ label, sign, onClick }: IconActionProps): JSX.Element {
  return (
    <button
      type="button"
      class="button quiet icon"
      title={label}
      aria-label={label}
      {...{ onClick }}
    >
      {sign}
    </button>
  );
}

interface AttributeValueProps {
  readonly attribute: AttributeText;
  readonly links: readonly PatternLink[];
}

function AttributeValue({ attribute, links }: AttributeValueProps): JSX.Element {
  const whole = useSignal(false);
  const { text, type } = attribute;
  const json = jsonOf(text);
  if (json !== undefined) {
    return (
      <>
        {headerLines(attribute.key, json) ?? <JsonTree value={json} />}
        {links.length > 0 && <LinkList links={links} />}
      </>
    );
  }
  const first = links[0];
  const own = links.length === 0 ? safeHref(text) : undefined;
  if (first !== undefined && links.length === 1) {
    return (
      <OutLink href={first.url} title={first.text}>
        {text}
      </OutLink>
    );
  }
  if (own !== undefined) return <OutLink href={own}>{text}</OutLink>;
  const cut = !whole.value && text.length > VALUE_SHOWN;
  return (
    <>
      <span class={`kv-value kv-${type}`}>{cut ? text.slice(0, VALUE_SHOWN) : text}</span>
      {cut && (
        <button
          type="button"
          class="json-toggle"
          onClick={() => {
            whole.value = true;
          }}
        >
          … {text.length - VALUE_SHOWN} more characters
        </button>
      )}
      {links.length > 1 && <LinkList links={links} />}
    </>
  );
}

function LinkList({ links }: Pick<AttributeValueProps, "links">): JSX.Element {
  return (
    <ul class="kv-links" aria-label="Links">
      {links.map((link) => (
        <li key={link.url}>
          <OutLink href={link.url}>{link.text}</OutLink>
        </li>
      ))}
    </ul>
  );
}

/** HTTP headers read better one a line. */
function headerLines(key: string, json: object): JSX.Element | undefined {
  if (!/^http\.(request|response)\.headers?$/.test(key) || Array.isArray(json)) return undefined;
  return (
    <ul class="kv-headers">
      {Object.entries(json).map(([name, value]) => (
        <li key={name}>
          <b>{name}</b>: {Array.isArray(value) ? value.join(", ") : String(value)}
        </li>
      ))}
    </ul>
  );
}

interface OutLinkProps {
  readonly href: string;
  readonly title?: string;
  readonly children: ComponentChildren;
}

function OutLink({ href, title, children }: OutLinkProps): JSX.Element {
  const safe = safeHref(href);
  if (safe === undefined) return <span>{children}</span>;
  return (
    <a href={safe} title={title} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  );
}
