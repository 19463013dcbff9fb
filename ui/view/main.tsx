/** The entry of the UI: starts the router and the theme, and draws the shell. */

import { computed } from "@preact/signals";
import { render } from "preact";
import { App } from "./app.tsx";
import { uiConfig, zone } from "./page-facts.ts";
import { keepInAddress, startRouter } from "./router.ts";
import { startTheme } from "./theme.ts";

startTheme();
runConfiguredScripts();
startRouter();
// A colleague reads the times of a link as the sender did; the browser's own zone says nothing.
keepInAddress(
  "tz",
  computed(() => (zone.value === "local" ? "" : zone.value)),
);

/** Inline scripts of the operator's configuration, allowed by the nonce of this page. */
function runConfiguredScripts(): void {
  const nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "";
  for (const text of uiConfig.scripts) {
    const script = document.createElement("script");
    script.nonce = nonce;
    script.text = text;
    document.body.append(script);
  }
}

const root = document.getElementById("jaeger-ui-root");
if (root !== null) render(<App />, root);
