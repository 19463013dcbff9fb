// How tag values are written, whatever the wire format.
import { TAG_VALUE_LENGTH } from "./limits.ts";

export interface TagOptions {
  /** Longer text and binary values are cut. */
  readonly maxTagValueLength: number;
  /** Whole numbers go as DOUBLE, as jaeger-client sends them, and not as LONG. */
  readonly numbersAsDouble: boolean;
}

export const DEFAULT_TAG_OPTIONS: TagOptions = {
  maxTagValueLength: TAG_VALUE_LENGTH,
  numbersAsDouble: false,
};
