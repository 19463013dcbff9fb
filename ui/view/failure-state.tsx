/** What a page says when what it is for could not be loaded: why, and what to do next. */

import type { ComponentChildren, JSX } from "preact";
import { hrefOf } from "./router.ts";

export interface FailureStateProps {
  readonly heading: string;
  readonly message: string;
  readonly onRetry: () => void;
  /** More about it, if there is more. */
  readonly children?: ComponentChildren;
}

export function FailureState(props: FailureStateProps): JSX.Element {
  const { heading, message, onRetry, children } = props;
  return (
    <section class="state" role="alert">
      <h1>{heading}</h1>
      <p>{message}</p>
      {children}
      <div class="actions">
        <button type="button" class="button primary" onClick={onRetry}>
          Try again
        </button>
        <a class="button" href={hrefOf("/search")}>
          Search traces
        </a>
      </div>
    </section>
  );
}
