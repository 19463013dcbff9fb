/** Palette: the colours and fonts that canvases draw with, read from the page's tokens. */

/** CSS colours; `service` by index into the trace's services. */
export interface Palette {
  readonly ink: string;
  readonly soft: string;
  readonly bg: string;
  readonly surface: string;
  readonly raised: string;
  readonly hover: string;
  readonly selected: string;
  readonly found: string;
  readonly line: string;
  readonly grid: string;
  readonly accent: string;
  readonly onAccent: string;
  readonly error: string;
  readonly critical: string;
  readonly fontFamily: string;
  readonly service: readonly string[];
  /** The system replaces colours (forced-colors): fills follow system colours. */
  readonly forced: boolean;
}

/** Which custom property each colour comes from, and the system colour that stands in for it. */
const TOKENS = {
  ink: ["--ink", "CanvasText"],
  soft: ["--soft", "CanvasText"],
  bg: ["--bg", "Canvas"],
  surface: ["--surface", "Canvas"],
  raised: ["--raised", "Canvas"],
  hover: ["--hover", "Canvas"],
  selected: ["--selected", "Canvas"],
  found: ["--found", "Canvas"],
  line: ["--line", "GrayText"],
  grid: ["--grid", "GrayText"],
  accent: ["--accent", "Highlight"],
  onAccent: ["--on-accent", "HighlightText"],
  error: ["--bad-mark", "CanvasText"],
  critical: ["--critical", "Highlight"],
} as const;

/**
 * Reads the palette as it is within `parent` now; call again when the theme changes. Tokens say
 * light-dark(…), which only the style of a real element resolves: `hues` are places in the
 * palette of services, by service.
 */
export function readPalette(parent: Element, hues: ArrayLike<number>): Palette {
  const forced = matchMedia("(forced-colors: active)").matches;
  const names = Object.keys(TOKENS) as (keyof typeof TOKENS)[];
  const hueList = [...new Set(Array.from(hues))];
  const wanted = [
    ...names.map((name) => (forced ? TOKENS[name][1] : `var(${TOKENS[name][0]})`)),
    ...hueList.map((hue) => (forced ? "CanvasText" : `var(--service-${hue})`)),
  ];
  const found = resolveColors(parent, wanted);
  const color = (name: keyof typeof TOKENS): string => found.colors[names.indexOf(name)] ?? "";
  const hueColors = new Map(hueList.map((hue, i) => [hue, found.colors[names.length + i] ?? ""]));
  return {
    ink: color("ink"),
    soft: color("soft"),
    bg: color("bg"),
    surface: color("surface"),
    raised: color("raised"),
    hover: color("hover"),
    selected: color("selected"),
    found: color("found"),
    line: color("line"),
    grid: color("grid"),
    accent: color("accent"),
    onAccent: color("onAccent"),
    error: color("error"),
    critical: color("critical"),
    fontFamily: found.fontFamily === "" ? "sans-serif" : found.fontFamily,
    service: Array.from(hues, (hue) => hueColors.get(hue) ?? ""),
    forced,
  };
}

/** The colours of tokens as they are within `parent` now, by name without the dashes. */
export function readColors(parent: Element, tokens: readonly string[]): readonly string[] {
  return resolveColors(
    parent,
    tokens.map((token) => `var(--${token})`),
  ).colors;
}

/** All at once: each question after a change would compute the page's styles again. */
function resolveColors(
  parent: Element,
  wanted: readonly string[],
): { readonly colors: readonly string[]; readonly fontFamily: string } {
  const box = document.createElement("span");
  box.hidden = true;
  for (const value of wanted) {
    const probe = document.createElement("span");
    probe.style.color = value;
    box.append(probe);
  }
  parent.append(box);
  const colors = Array.from(box.children, (probe) => getComputedStyle(probe).color);
  const { fontFamily } = getComputedStyle(box);
  box.remove();
  return { colors, fontFamily };
}
