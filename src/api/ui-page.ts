/** index.html as one answer: what the server knows written in, a nonce on every script. */

/** What a page is told; each member replaces the placeholder of its name. */
export interface UiFacts {
  /** The operator's configuration. */
  readonly config: UiConfigText | undefined;
  readonly version: {
    readonly version: string;
    readonly commit: string;
    readonly buildDate: string;
  };
  readonly archiveStorage: boolean;
  /** What Spoor's own UI is told besides. */
  readonly server: SpoorServerFacts;
}

/** Read by the UI as `getSpoorServer()`; null under another server. */
export interface SpoorServerFacts {
  /** The version of `/api/spoor/v1`. */
  readonly api: 1;
  readonly store: string;
  /** Where spans can be sent, by protocol, as the servers listen. */
  readonly receivers: readonly {
    readonly protocol: string;
    readonly host: string;
    readonly port: number;
  }[];
}

/** A configuration file's text: JSON, checked, or a script that defines UIConfig. */
export interface UiConfigText {
  readonly kind: "json" | "script";
  readonly text: string;
}

/** Jaeger's test for a configuration script. */
const UI_CONFIG_FUNCTION = /function\s+UIConfig(\s)?\(\s?\)(\s)?{/;
/** The line that says where the script goes, and the line after it. */
const SCRIPT_PLACE = /^\s*\/\/\s*JAEGER_CONFIG_JS.*\n.*/im;

/** Whether a text may be the configuration script. */
export function definesUiConfig(text: string): boolean {
  return UI_CONFIG_FUNCTION.test(text);
}

/** The page with everything written in; `basePath` is "" or begins with a slash. */
export function writePage(
  template: string,
  basePath: string,
  nonce: string,
  facts: UiFacts,
): string {
  const { version, archiveStorage, config } = facts;
  const build = {
    gitCommit: version.commit,
    gitVersion: version.version,
    buildDate: version.buildDate,
  };
  const capabilities = {
    archiveStorage,
    metricsStorage: false,
    searchWithoutServiceName: true,
    aiAssistant: false,
  };
  let page = template.replaceAll(/<script(?=[\s>])/g, `<script nonce="${nonce}"`);
  page = page.replace('<base href="/"', () => `<base href="${attributeText(basePath)}/"`);
  const { archiveStorage: archive, metricsStorage } = capabilities;
  page = fill(page, "VERSION", "JAEGER", JSON.stringify(build));
  page = fill(page, "BACKEND_CAPABILITIES", "JAEGER", JSON.stringify(capabilities));
  const storage = JSON.stringify({ archiveStorage: archive, metricsStorage });
  page = fill(page, "STORAGE_CAPABILITIES", "JAEGER", storage);
  page = fill(page, "SPOOR_SERVER", "", JSON.stringify(facts.server));
  if (config?.kind === "json") page = fill(page, "CONFIG", "JAEGER", config.text);
  if (config?.kind === "script") page = page.replace(SCRIPT_PLACE, () => inScript(config.text));
  return page;
}

/** `JAEGER_VERSION = DEFAULT_VERSION;` becomes `JAEGER_VERSION = {…};`. */
function fill(page: string, name: string, prefix: string, json: string): string {
  const variable = prefix === "" ? name : `${prefix}_${name}`;
  const place = new RegExp(`${variable} *= *DEFAULT_${name};`);
  return page.replace(place, () => `${variable} = ${jsonInScript(json)};`);
}

/** JSON that cannot end the script it stands in. */
function jsonInScript(json: string): string {
  return json
    .replaceAll("<", "\\u003c")
    .replaceAll("\u2028", "\\u2028")
    .replaceAll("\u2029", "\\u2029");
}

/** A script's text that cannot end the element: in strings and patterns `<\/` is `</`. */
function inScript(text: string): string {
  return text.replaceAll(/<(\/script|!--)/gi, "<\\$1");
}

function attributeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}
