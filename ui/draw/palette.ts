/** Palette: the colours and fonts that canvases draw with, read from the page's tokens. */

/** CSS colours; `service` by index into the trace's services. */
export interface Palette {
  readonly ink: string;
  readonly soft: string;
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
  const probe = document.createElement("span");
  probe.hidden = true;
  parent.append(probe);
  const style = getComputedStyle(probe);
  const forced = matchMedia("(forced-colors: active)").matches;
  const resolve = (value: string): string => {
    probe.style.color = value;
    return style.color;
  };
  const color = (name: keyof typeof TOKENS): string => {
    const [token, system] = TOKENS[name];
    return resolve(forced ? system : `var(${token})`);
  };
  const hueColors = new Map<number, string>();
  const service: string[] = [];
  for (let i = 0; i < hues.length; i++) {
    const hue = hues[i]!;
    const known = hueColors.get(hue) ?? resolve(forced ? "CanvasText" : `var(--service-${hue})`);
    hueColors.set(hue, known);
    service.push(known);
  }
  const palette: Palette = {
    ink: color("ink"),
    soft: color("soft"),
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
    fontFamily: style.fontFamily === "" ? "sans-serif" : style.fontFamily,
    service,
    forced,
  };
  probe.remove();
  return palette;
}
