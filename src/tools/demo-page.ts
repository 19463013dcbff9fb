// The demo's page: buttons that place orders, switches for faults, links to the traces.
import { DEMO_FAULTS } from "./demo-simulation.ts";

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
  button { font: inherit; padding: 0.4rem 0.9rem; margin: 0 0.4rem 0.4rem 0; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  th, td { text-align: left; padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid #8884; }
  label { display: block; margin: 0.4rem 0; }
`;

const SCRIPT = `
  const rows = document.querySelector("tbody");
  function cell(content) {
    const td = document.createElement("td");
    td.append(content);
    return td;
  }
  async function refresh() {
    const state = await (await fetch("state")).json();
    for (const box of document.querySelectorAll("input")) {
      box.checked = state.faults.includes(box.name);
    }
    document.querySelector("output").textContent =
      state.placed + " orders placed, " + state.load + " a second of them by the load generator";
    rows.replaceChildren(...state.orders.map((order) => {
      const link = document.createElement("a");
      link.href = state.ui + "/trace/" + order.traceId;
      link.textContent = order.traceId;
      const row = document.createElement("tr");
      const result = order.status === 200 ? "placed" : "failed";
      row.append(cell(order.customer), cell(result), cell(order.durationMs + " ms"), cell(link));
      return row;
    }));
  }
  document.addEventListener("click", async ({ target }) => {
    if (!target.dataset.customer) return;
    await fetch("order?customer=" + target.dataset.customer, { method: "POST" });
    await refresh();
  });
  document.addEventListener("change", async ({ target }) => {
    await fetch("fault?name=" + target.name + "&on=" + target.checked, { method: "POST" });
  });
  refresh();
  setInterval(refresh, 2000);
`;

/** The whole page as HTML. */
export function demoPage(ui: string): string {
  const customers = ["Ada", "Grace", "Edsger", "Barbara"];
  const buttons = customers
    .map((name) => `<button data-customer="${name}">Order for ${name}</button>`)
    .join("");
  const faults = Object.entries(DEMO_FAULTS)
    .map(([name, text]) => {
      const box = `<input type="checkbox" name="${name}">`;
      return `<label>${box} <strong>${name}</strong>: ${text}</label>`;
    })
    .join("");
  const title = "Spoor demo shop";
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width"><style>${STYLE}</style></head><body>
<h1>${title}</h1><p>Six services in one process, with HTTP between them. Every order is a trace:
<a href="${ui}">open Spoor</a>.</p><p>${buttons}</p><p><output></output></p>
<h2>Faults</h2>${faults}<h2>Latest orders</h2>
<table><thead><tr><th>Customer</th><th>Result</th><th>Took</th><th>Trace</th></tr></thead>
<tbody></tbody></table><script>${SCRIPT}</script></body></html>`;
}
