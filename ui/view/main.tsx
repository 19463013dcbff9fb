/** The entry of the UI: starts the router and the theme, and draws the shell. */

import { render } from "preact";
import { App } from "./app.tsx";
import { startRouter } from "./router.ts";
import { startTheme } from "./theme.ts";

startTheme();
startRouter();
const root = document.getElementById("jaeger-ui-root");
if (root !== null) render(<App />, root);
