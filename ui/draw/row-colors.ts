/** RowColors: which colour each span is drawn in, by whatever it is coloured. */

export interface RowColors {
  /** By row. */
  readonly groups: ArrayLike<number>;
  /** CSS colours by group. */
  readonly fills: readonly string[];
  /** By group; undefined where the row tells it anyway. */
  readonly labels: readonly string[] | undefined;
  /** The group that stands out from the others, -1 for none. */
  readonly lit: number;
}

/** The colour of a row, or `otherwise`. */
export function colorOfRow(colors: RowColors, row: number, otherwise: string): string {
  return colors.fills[colors.groups[row]!] ?? otherwise;
}

/** Whether a row is to recede: another group stands out. */
export function isReceding(colors: RowColors, row: number): boolean {
  return colors.lit >= 0 && colors.groups[row] !== colors.lit;
}
