/** A finger that leaves the timeline as it moves: the rows go on, slower and slower. */

import type { TraceModel } from "./trace-model.ts";

/** The speed falls to a third in about this time, ms, as lists of phones have it. */
const SLOWS_IN_MS = 325;
/** Below this nobody sees it move, px/ms. */
const LEAST_SPEED = 0.03;
/** A finger that rested this long before it left does not throw, ms. */
const RESTED_MS = 60;
/** A page that was busy goes on where it was, ms. */
const LONGEST_STEP_MS = 50;
/** How much the latest move counts in the speed. */
const LATEST = 0.6;

export class Fling {
  readonly #model: TraceModel;
  #speed = 0;
  #movedAt = 0;
  #asked = 0;

  constructor(model: TraceModel) {
    this.#model = model;
  }

  /** A finger is down: the rows stand. Whether they moved. */
  stop(now: number): boolean {
    const moved = this.#asked !== 0;
    cancelAnimationFrame(this.#asked);
    this.#asked = 0;
    this.#speed = 0;
    this.#movedAt = now;
    return moved;
  }

  /** The finger has scrolled by so many pixels. */
  moved(pixels: number, now: number): void {
    const took = Math.max(1, now - this.#movedAt);
    this.#speed += (pixels / took - this.#speed) * LATEST;
    this.#movedAt = now;
  }

  /** The finger has left: the rows go on as fast as it moved. */
  release(now: number): void {
    if (now - this.#movedAt > RESTED_MS) return;
    let before = now;
    const step = (time: number): void => {
      const took = Math.max(0, Math.min(LONGEST_STEP_MS, time - before));
      before = time;
      this.#model.scrollBy(this.#speed * took);
      this.#speed *= Math.exp(-took / SLOWS_IN_MS);
      const goesOn = Math.abs(this.#speed) > LEAST_SPEED;
      this.#asked = goesOn ? requestAnimationFrame(step) : 0;
    };
    this.#asked = requestAnimationFrame(step);
  }
}
