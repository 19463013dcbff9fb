/** A canvas sized in CSS pixels and sharp on every screen. */

/** Sizes are CSS pixels; the transform is set so that drawing is in CSS pixels too. */
export interface Surface {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  width: number;
  height: number;
}

/** Screens denser than this are drawn at this: 4K at 3× would be 75 MB a canvas. */
const MAX_PIXEL_RATIO = 2;

/** An opaque one costs the main thread less, and is cleared with a ground. */
export function openSurface(
  canvas: HTMLCanvasElement,
  { opaque = false }: { readonly opaque?: boolean } = {},
): Surface {
  const context = canvas.getContext("2d", { alpha: !opaque });
  if (context === null) throw new Error("this browser has no 2D canvas");
  return { canvas, context, width: 0, height: 0 };
}

/** Makes the canvas `width` × `height`, empty or of one colour; resized only when it must be. */
export function clearSurface(
  surface: Surface,
  width: number,
  height: number,
  ground?: string,
): void {
  const ratio = Math.min(MAX_PIXEL_RATIO, globalThis.devicePixelRatio || 1);
  const { canvas, context } = surface;
  const pixelWidth = Math.max(1, Math.round(width * ratio));
  const pixelHeight = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    canvas.width = pixelWidth;
    canvas.height = pixelHeight;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  surface.width = width;
  surface.height = height;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  if (ground === undefined) {
    context.clearRect(0, 0, width, height);
    return;
  }
  context.fillStyle = ground;
  context.fillRect(0, 0, width, height);
}

/**
 * Diagonal stripes for what must not be told by colour alone; null without a pattern. An edge of
 * the ground's colour parts them from bars of any hue.
 */
export function stripes(
  context: CanvasRenderingContext2D,
  color: string,
  ground: string,
): CanvasPattern | null {
  const tile = document.createElement("canvas");
  tile.width = 8;
  tile.height = 8;
  const draw = tile.getContext("2d");
  if (draw === null) return null;
  const line = (ofColor: string, width: number): void => {
    draw.strokeStyle = ofColor;
    draw.lineWidth = width;
    draw.beginPath();
    for (const shift of [-8, 0, 8]) {
      draw.moveTo(shift - 1, 9);
      draw.lineTo(shift + 9, -1);
    }
    draw.stroke();
  };
  line(ground, 4);
  line(color, 2);
  return context.createPattern(tile, "repeat");
}
