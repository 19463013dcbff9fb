/** The search page. */

import type { JSX } from "preact";

/** Form and results. */
export function SearchPage(): JSX.Element {
  return <h1>Search</h1>;
}
