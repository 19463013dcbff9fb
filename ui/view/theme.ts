/** Light, dark or as the system says: remembered under Jaeger's key, shared between tabs. */

import { computed, effect, signal } from "@preact/signals";
import { onSettingChanged, readSetting, writeSetting } from "../data/settings.ts";

export type ThemeChoice = "light" | "dark" | "system";

const KEY = "jaeger-ui-theme";
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const systemIsDark = signal(prefersDark.matches);

/** What the user chose. */
export const themeChoice = signal<ThemeChoice>(choiceOf(readSetting(KEY)));

/** What is shown; drawn things read their colours again when it changes. */
export const theme = computed<"light" | "dark">(() => {
  if (themeChoice.value !== "system") return themeChoice.value;
  return systemIsDark.value ? "dark" : "light";
});

/** Chooses and remembers. */
export function chooseTheme(choice: ThemeChoice): void {
  themeChoice.value = choice;
  writeSetting(KEY, choice === "system" ? undefined : choice);
}

/** Applies the theme; `uiTheme` of the address wins and is not remembered, as in Jaeger. */
export function startTheme(): void {
  const fromAddress = new URLSearchParams(location.search).get("uiTheme");
  if (fromAddress === "light" || fromAddress === "dark") themeChoice.value = fromAddress;
  prefersDark.addEventListener("change", (event) => {
    systemIsDark.value = event.matches;
  });
  onSettingChanged((key, text) => {
    if (key === KEY) themeChoice.value = choiceOf(text);
  });
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
}

function choiceOf(text: string | undefined): ThemeChoice {
  return text === "light" || text === "dark" ? text : "system";
}
