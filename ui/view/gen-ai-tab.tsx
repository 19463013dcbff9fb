/** A call to a model, an agent or a tool, as a conversation; every text of it is a text node. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import type { GenAi, GenAiMessage, GenAiPart } from "../data/gen-ai.ts";
import { copyText } from "./copy.ts";
import { GEN_AI_SIGNS } from "./span-marks.ts";
import { IconAction } from "./attribute-table.tsx";
import { TraceIcon } from "./trace-icon.tsx";

/** Messages shown before "show more": conversations begin with the whole of the past. */
const MESSAGES_SHOWN = 30;
/** A longer text is folded to its beginning. */
const TEXT_SHOWN = 800;

export function GenAiTab({ genAi }: { genAi: GenAi }): JSX.Element {
  const shown = useSignal(MESSAGES_SHOWN);
  const { kind, facts, messages } = genAi;
  // The latest are what this span is about.
  const first = Math.max(0, messages.length - shown.value);
  return (
    <div class="gen-ai">
      <dl class="facts">
        <div>
          <dt>Kind</dt>
          <dd>
            <span aria-hidden="true">{GEN_AI_SIGNS[kind].icon}</span> {kind}
          </dd>
        </div>
        {facts.map(([name, text]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {messages.length === 0 && (
        <p class="hint">
          The span holds no messages: what was said is recorded only when asked for.
        </p>
      )}
      {first > 0 && (
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            shown.value = messages.length;
          }}
        >
          {first} earlier messages
        </button>
      )}
      <ol class="messages" aria-label="Messages">
        {messages.slice(first).map((message, i) => (
          <Message key={first + i} message={message} />
        ))}
      </ol>
    </div>
  );
}

const ROLES: readonly string[] = ["system", "user", "assistant", "tool"];

function Message({ message }: { message: GenAiMessage }): JSX.Element {
  const { role, note, parts } = message;
  return (
    <li class="message" data-role={ROLES.includes(role) ? role : "other"}>
      <div class="message-head">
        <b>{role}</b>
        {note !== "" && <span class="soft">{note}</span>}
        <IconAction
          label={`Copy the message of ${role}`}
          sign={<TraceIcon name="copy" />}
          onClick={() => copyText(parts.map(({ text }) => text).join("\n"))}
        />
      </div>
      {parts.length === 0 && <p class="soft">empty</p>}
      {parts.map((part, i) => (
        <Part key={i} part={part} />
      ))}
    </li>
  );
}

function Part({ part }: { part: GenAiPart }): JSX.Element {
  const whole = useSignal(false);
  const { label, text, isCode } = part;
  const more = text.length - TEXT_SHOWN;
  const folded = more > 0 && !whole.value;
  return (
    <div class="message-part">
      {label !== "" && <span class="pill">{label}</span>}
      <div class={`message-text ${isCode ? "mono" : ""}`}>
        {folded ? `${text.slice(0, TEXT_SHOWN)}…` : text}
      </div>
      {more > 0 && (
        <button
          type="button"
          class="json-toggle"
          aria-expanded={whole.value}
          onClick={() => {
            whole.value = !whole.value;
          }}
        >
          {whole.value ? "Fold" : `${more.toLocaleString("en")} more characters`}
        </button>
      )}
    </div>
  );
}
