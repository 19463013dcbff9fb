/** The top bar: home, pages, lookup by trace id, the operator's menu, time zone, theme. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { isZone } from "../data/instants.ts";
import { isSafeUrl } from "../data/link-patterns.ts";
import { canonicalTraceId, traceIdsOf } from "../data/trace-ids.ts";
import type { MenuEntry } from "../data/ui-config.ts";
import { Dialog } from "./dialog.tsx";
import { Icon, Mark } from "./icons.tsx";
import { Menu } from "./menu.tsx";
import { chooseZone, serverFacts, uiConfig, zone, zoneLabel } from "./page-facts.ts";
import { goTo, hrefOf, place } from "./router.ts";
import { chooseTheme, theme, themeChoice } from "./theme.ts";
import type { ThemeChoice } from "./theme.ts";
import { say } from "./toasts.tsx";

/** The bar. */
export function TopBar(): JSX.Element {
  const onSearch = place.value.path === "/search";
  return (
    <header class="top-bar">
      <a class="brand" href={hrefOf("/search")} aria-label="Spoor: search">
        <Mark />
        <span>Spoor</span>
      </a>
      <nav aria-label="Pages">
        <a href={hrefOf("/search")} aria-current={onSearch ? "page" : undefined}>
          Search
        </a>
      </nav>
      <Lookup />
      <span class="spring" />
      {(uiConfig.menu ?? []).map((entry) => (
        <CustomMenu key={entry.label} entry={entry} />
      ))}
      {uiConfig.menu === undefined && <About />}
      <ZoneMenu />
      {uiConfig.themesEnabled && <ThemeMenu />}
    </header>
  );
}

/** One id opens the trace; several are shown as results. */
function Lookup(): JSX.Element {
  const problem = useSignal("");
  return (
    <form
      class="lookup"
      role="search"
      aria-label="Lookup by trace id"
      onSubmit={(event) => {
        event.preventDefault();
        const field = event.currentTarget.querySelector("input");
        const { ids, bad } = traceIdsOf(field?.value ?? "");
        problem.value = bad.length > 0 ? `Not a trace id: ${bad[0]}` : "";
        const [first] = ids;
        if (bad.length > 0) return say(problem.value, { bad: true });
        if (first === undefined || field === null) return;
        field.value = "";
        field.blur();
        if (ids.length === 1) return goTo(`/trace/${canonicalTraceId(first)}`);
        goTo(`/search?${new URLSearchParams(ids.map((id) => ["traceID", id]))}`);
      }}
    >
      <input
        class="input mono"
        type="search"
        spellcheck={false}
        autocomplete="off"
        placeholder="Lookup by Trace ID…"
        aria-label="Trace id, or several"
        aria-invalid={problem.value !== ""}
        title="Hex or base64; several with blanks between them"
        onInput={() => {
          problem.value = "";
        }}
      />
    </form>
  );
}

function CustomMenu({ entry }: { readonly entry: MenuEntry }): JSX.Element {
  const { label, items } = entry;
  if (items === undefined) return <MenuLink entry={entry} class="bar-link" />;
  return (
    <Menu
      label={label}
      button={
        <>
          {label}
          <Icon name="down" />
        </>
      }
    >
      {items.map((item) => (
        <MenuLink key={item.label} entry={item} role="menuitem" />
      ))}
    </Menu>
  );
}

interface MenuLinkProps {
  readonly entry: MenuEntry;
  readonly class?: string;
  readonly role?: "menuitem";
}

/** A link of the configuration; an address that is none of http, https, mailto is text only. */
function MenuLink({ entry, class: name = "", role }: MenuLinkProps): JSX.Element {
  const { label, url = "", anchorTarget } = entry;
  if (url === "" || !isSafeUrl(url)) {
    return (
      <span class={`${name} soft`} {...(role === undefined ? {} : { role, tabIndex: -1 })}>
        {label}
      </span>
    );
  }
  return (
    <a
      class={name}
      href={url}
      target={anchorTarget ?? "_blank"}
      rel="noopener noreferrer"
      {...(role === undefined ? {} : { role })}
    >
      {label}
    </a>
  );
}

function About(): JSX.Element {
  const open = useSignal(false);
  return (
    <>
      <button
        type="button"
        class="button quiet"
        onClick={() => {
          open.value = true;
        }}
      >
        About
      </button>
      {open.value && (
        <Dialog
          title="About Spoor"
          onClose={() => {
            open.value = false;
          }}
        >
          <dl class="about-facts">
            <dt>Server</dt>
            <dd>{serverFacts.isSpoor ? "Spoor" : "Jaeger"}</dd>
            <dt>Version</dt>
            <dd>{serverFacts.version === "" ? "unknown" : serverFacts.version}</dd>
            <dt>Commit</dt>
            <dd>
              <code>
                {serverFacts.commit === "" ? "a checkout" : serverFacts.commit.slice(0, 12)}
              </code>
            </dd>
            <dt>API</dt>
            <dd>
              <a href={hrefOf("/api/services")} target="_blank" rel="noopener">
                api/services
              </a>
            </dd>
          </dl>
        </Dialog>
      )}
    </>
  );
}

/** Zones worth a place in the menu; every other is typed. */
const ZONES: readonly string[] = ["local", "UTC"];

function ZoneMenu(): JSX.Element {
  const asking = useSignal(false);
  const chosen = zone.value;
  const listed = ZONES.includes(chosen) ? ZONES : [...ZONES, chosen];
  return (
    <>
      <Menu
        label={`Time zone: ${zoneLabel(chosen)}`}
        button={
          <>
            <Icon name="clock" />
            <span class="wide-only">{zoneLabel(chosen)}</span>
          </>
        }
      >
        {listed.map((name) => (
          <button
            key={name}
            type="button"
            role="menuitemradio"
            aria-checked={name === chosen}
            onClick={() => chooseZone(name)}
          >
            <span class="check-mark">{name === chosen ? "✓" : ""}</span>
            {name === "local" ? `This browser's (${zoneLabel("local")})` : name}
          </button>
        ))}
        <button
          type="button"
          role="menuitem"
          onClick={() => {
            asking.value = true;
          }}
        >
          <span class="check-mark" />
          Another…
        </button>
      </Menu>
      {asking.value && (
        <ZoneDialog
          onClose={() => {
            asking.value = false;
          }}
        />
      )}
    </>
  );
}

function ZoneDialog({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const problem = useSignal("");
  return (
    <Dialog title="Time zone" onClose={onClose}>
      <form
        class="zone-form"
        onSubmit={(event) => {
          event.preventDefault();
          const name = event.currentTarget.querySelector("input")?.value.trim() ?? "";
          if (name === "" || !isZone(name)) {
            problem.value = "Not a zone this browser knows";
            return;
          }
          chooseZone(name);
          onClose();
        }}
      >
        <div class="field">
          <label for="zone-name">IANA name, as Europe/Berlin</label>
          <input id="zone-name" class="input" list="zones" autocomplete="off" />
          <datalist id="zones">
            {Intl.supportedValuesOf("timeZone").map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
          {problem.value !== "" && <p class="hint bad">{problem.value}</p>}
        </div>
        <button type="submit" class="button primary">
          Use it
        </button>
      </form>
    </Dialog>
  );
}

const THEMES: readonly (readonly [ThemeChoice, string])[] = [
  ["light", "Light"],
  ["dark", "Dark"],
  ["system", "As the system"],
];

function ThemeMenu(): JSX.Element {
  return (
    <Menu label="Theme" button={<Icon name={theme.value === "dark" ? "moon" : "sun"} />}>
      {THEMES.map(([choice, label]) => (
        <button
          key={choice}
          type="button"
          role="menuitemradio"
          aria-checked={themeChoice.value === choice}
          onClick={() => chooseTheme(choice)}
        >
          <span class="check-mark">{themeChoice.value === choice ? "✓" : ""}</span>
          {label}
        </button>
      ))}
    </Menu>
  );
}
