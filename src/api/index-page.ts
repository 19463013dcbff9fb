/** The page at `/` of the query port until the UI is built: services and newest traces. */

import { randomBytes } from "node:crypto";
import type { HttpAnswer } from "../net/http-message.ts";

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2127; --soft: #5c6773; --line: #d9dee4; --bg: #fbfbfa;
  --card: #fff; --accent: #9a4a12; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --soft: #9aa5b1; --line: #343b43;
  --bg: #15181c; --card: #1c2025; --accent: #f0a35e; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
header { display: flex; align-items: baseline; gap: .75rem; margin-bottom: 1.5rem; }
h1 { font-size: 1.5rem; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 1rem; margin: 0 0 .75rem; }
header span, .soft { color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1rem 1.25rem; margin-bottom: 1rem; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 2px; }
a:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
th { color: var(--soft); font-weight: 500; }
td.number, th.number { text-align: right; }
td.name { max-width: 26rem; overflow: hidden; text-overflow: ellipsis; }
code { font: 13px/1.5 ui-monospace, monospace; }
ul { list-style: none; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: .5rem; }
li button { font: inherit; color: inherit; background: transparent; border: 1px solid var(--line);
  border-radius: 999px; padding: .1rem .7rem; cursor: pointer; }
li button[aria-pressed="true"] { border-color: var(--accent); color: var(--accent); }
.error { color: var(--bad); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; }
`;

const SCRIPT = `
"use strict";
const base = document.documentElement.dataset.base;
const byId = (id) => document.getElementById(id);
const make = (name, text, className) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};
const duration = (us) => us < 1000 ? us + " µs" : us < 1e6 ? (us / 1000).toFixed(1) + " ms"
  : (us / 1e6).toFixed(2) + " s";
let chosen;
let shown = "";
async function call(path, body) {
  const response = await fetch(base + path, body === undefined ? {} : { method: "POST", body });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error?.message ?? response.statusText);
  return answer;
}
function showServices(names) {
  byId("services").replaceChildren(...names.map((name) => {
    const button = make("button", name);
    button.type = "button";
    button.setAttribute("aria-pressed", String(name === chosen));
    button.addEventListener("click", () => {
      chosen = name === chosen ? undefined : name;
      load();
    });
    const item = make("li");
    item.append(button);
    return item;
  }));
  byId("no-services").hidden = names.length > 0;
}
function showTraces(traces) {
  byId("traces").replaceChildren(...traces.map((trace) => {
    const row = make("tr");
    const link = make("a", trace.rootName || "(no name)");
    link.href = base + "/api/traces/" + trace.traceId + "?prettyPrint=true";
    const name = make("td", undefined, "name");
    name.append(link);
    const when = make("td", new Date(trace.startUs / 1000).toLocaleString());
    when.title = trace.traceId;
    const errors = make("td", String(trace.errorCount),
      trace.errorCount > 0 ? "number error" : "number");
    row.append(when, make("td", trace.rootService), name,
      make("td", duration(trace.endUs - trace.startUs), "number"),
      make("td", String(trace.spanCount), "number"), errors);
    return row;
  }));
  byId("table").hidden = traces.length === 0;
  byId("no-traces").hidden = traces.length > 0;
}
async function load() {
  try {
    const filter = chosen === undefined ? undefined
      : { op: "=", target: { field: "service" }, value: chosen };
    const [services, found] = await Promise.all([
      call("/api/services"),
      call("/api/spoor/v1/find", JSON.stringify({ limit: 20, filter })),
    ]);
    byId("failed").hidden = true;
    const next = JSON.stringify([chosen, services.data, found.traces]);
    if (next === shown) return; // keeps focus and selection where they are
    shown = next;
    showServices(services.data);
    showTraces(found.traces);
  } catch (error) {
    byId("failed").textContent = "Cannot load: " + error.message;
    byId("failed").hidden = false;
  }
}
for (const host of document.querySelectorAll(".host")) host.textContent = location.hostname;
load();
setInterval(() => { if (!document.hidden) load(); }, 5000);
`;

/** The page; `basePath` is "" or begins with a slash and does not end in one. */
export function indexPage(basePath: string): HttpAnswer {
  const nonce = randomBytes(16).toString("base64");
  return {
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy":
        `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; ` +
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
    body: html(basePath, nonce),
  };
}

function html(basePath: string, nonce: string): string {
  return `<!doctype html>
<html lang="en" data-base="${attributeText(basePath)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Spoor</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<main>
<header><h1>Spoor</h1><span>distributed tracing</span></header>
<p id="failed" class="error" role="alert" hidden></p>
<section aria-labelledby="services-title">
<h2 id="services-title">Services</h2>
<ul id="services"></ul>
<p id="no-services" class="soft" hidden>None has sent a span yet.</p>
</section>
<section aria-labelledby="traces-title">
<h2 id="traces-title">Newest traces</h2>
<div class="scroll" tabindex="0" role="region" aria-labelledby="traces-title">
<table id="table" hidden>
<thead><tr><th scope="col">Start</th><th scope="col">Service</th><th scope="col">Operation</th>
<th scope="col" class="number">Duration</th><th scope="col" class="number">Spans</th>
<th scope="col" class="number">Errors</th></tr></thead>
<tbody id="traces"></tbody>
</table>
</div>
<p id="no-traces" class="soft" hidden>No traces yet.</p>
</section>
<section aria-labelledby="send-title">
<h2 id="send-title">Where to send spans</h2>
<dl>
<dt>OTLP over HTTP</dt>
<dd><code>http://<span class="host">localhost</span>:4318/v1/traces</code></dd>
<dt>OTLP over gRPC</dt>
<dd><code><span class="host">localhost</span>:4317</code></dd>
</dl>
</section>
</main>
<script nonce="${nonce}">${SCRIPT}</script>
</body>
</html>
`;
}

function attributeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
