/**
 * `<spoor-trace src theme>`: a trace in any page. A script of its own, loaded by that page. The
 * trace view lives in a frame of Spoor's origin within a shadow root, so that neither page's
 * styles, scripts and policy reach the other. What is at `src` is either the address of a trace's
 * page of Spoor, or JSON that the page around may read: it is fetched there and handed over.
 */

/** Where this script came from: below `static/` of the server whose pages are shown. */
const script = document.currentScript;
const BASE = new URL("../", script instanceof HTMLScriptElement ? script.src : location.href);
const TRACE_PAGE = /\/trace\/[0-9a-zA-Z+/=_-]+$/;

const STYLE = `
  :host { display: block; height: 600px; }
  :host([hidden]) { display: none; }
  iframe { display: block; width: 100%; height: 100%; border: 0; }
  p { margin: 0; padding: 16px; font: 13px system-ui, sans-serif; }
`;

class SpoorTrace extends HTMLElement {
  static readonly observedAttributes: readonly string[] = ["src", "theme"];
  readonly #root: ShadowRoot;
  #abort = new AbortController();
  /** An element that is there before the script is told its attributes one by one first. */
  #isThere = false;

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: "open" });
    // A style element would need the policy of the page around to allow it.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.#root.adoptedStyleSheets = [sheet];
  }

  connectedCallback(): void {
    this.#isThere = true;
    this.#show();
  }

  disconnectedCallback(): void {
    this.#isThere = false;
    this.#abort.abort();
  }

  attributeChangedCallback(): void {
    if (this.#isThere) this.#show();
  }

  #show(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    const src = this.getAttribute("src") ?? "";
    if (src === "") return this.#root.replaceChildren();
    if (!URL.canParse(src, document.baseURI)) return this.#tell(`${src} is no address`);
    const url = new URL(src, document.baseURI);
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      return this.#tell(`cannot show ${url.protocol} addresses`);
    }
    if (TRACE_PAGE.test(url.pathname)) this.#frame(url);
    else void this.#handOver(url, this.#abort.signal);
  }

  /** Fetches JSON with what the page around may read, and hands its bytes to the frame. */
  async #handOver(url: URL, signal: AbortSignal): Promise<void> {
    const frame = this.#frame(new URL("embed", BASE));
    const ready = new Promise<void>((resolve) => {
      const heard = ({ source, origin, data }: MessageEvent<unknown>): void => {
        if (source === frame.contentWindow && origin === BASE.origin && data === "spoor-ready") {
          resolve();
        }
      };
      addEventListener("message", heard, { signal });
    });
    try {
      const answer = await fetch(url, { signal });
      if (!answer.ok) return this.#tell(`the server answered ${answer.status}`);
      const bytes = await answer.arrayBuffer();
      await ready;
      if (signal.aborted) return;
      frame.contentWindow?.postMessage({ spoorTrace: bytes }, BASE.origin, [bytes]);
    } catch (error) {
      if (!signal.aborted) this.#tell(error instanceof Error ? error.message : String(error));
    }
  }

  #frame(url: URL): HTMLIFrameElement {
    const theme = this.getAttribute("theme");
    url.searchParams.set("uiEmbed", "v0");
    if (theme === "light" || theme === "dark") url.searchParams.set("uiTheme", theme);
    const frame = document.createElement("iframe");
    frame.title = "Trace";
    frame.allow = "clipboard-write";
    frame.src = url.href;
    frame.addEventListener("load", () => this.dispatchEvent(new Event("load")));
    this.#root.replaceChildren(frame);
    return frame;
  }

  #tell(message: string): void {
    const text = document.createElement("p");
    text.setAttribute("role", "alert");
    text.textContent = `The trace cannot be shown: ${message}`;
    this.#root.replaceChildren(text);
    this.dispatchEvent(new ErrorEvent("error", { message }));
  }
}

if (customElements.get("spoor-trace") === undefined) {
  customElements.define("spoor-trace", SpoorTrace);
}
