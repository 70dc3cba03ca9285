// Points of a plane on a canvas: each class has a color that color-blind people can tell from the others (Okabe &
// Ito 2008) and a shape, so that no class is known by its color alone.

const COLORS = {
  light: [
    '#0072b2',
    '#d55e00',
    '#007a5a',
    '#b5529a',
    '#8a6d00',
    '#3f9fd8',
    '#444444',
    '#a3253a',
    '#6a4fc0',
    '#4f7d1f',
  ],
  dark: [
    '#56b4e9',
    '#ff8c42',
    '#2fc99b',
    '#e08fc4',
    '#f0e442',
    '#a9d8ff',
    '#c9c9c9',
    '#ff7b8a',
    '#a99bff',
    '#a8cf6a',
  ],
};
const SHAPES = ['disc', 'square', 'triangle', 'diamond', 'cross'] as const;
/** Classes that share a color have different shapes. */
const shapeOf = (label: number) => SHAPES[(label + Math.floor(label / COLORS.light.length)) % SHAPES.length];

export const colorOf = (label: number, dark: boolean): string => {
  const colors = dark ? COLORS.dark : COLORS.light;
  return colors[label % colors.length] as string;
};

/** Draws a class's mark around the origin of `path`. */
export function mark(path: Path2D, label: number, x: number, y: number, r: number): void {
  switch (shapeOf(label)) {
    case 'square':
      path.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
      break;
    case 'triangle':
      path.moveTo(x, y - r * 1.2);
      path.lineTo(x + r * 1.1, y + r * 0.8);
      path.lineTo(x - r * 1.1, y + r * 0.8);
      path.closePath();
      break;
    case 'diamond':
      path.moveTo(x, y - r * 1.25);
      path.lineTo(x + r * 1.25, y);
      path.lineTo(x, y + r * 1.25);
      path.lineTo(x - r * 1.25, y);
      path.closePath();
      break;
    case 'cross':
      path.rect(x - r * 1.15, y - r * 0.4, r * 2.3, r * 0.8);
      path.rect(x - r * 0.4, y - r * 1.15, r * 0.8, r * 2.3);
      break;
    default:
      path.moveTo(x + r, y);
      path.arc(x, y, r, 0, 2 * Math.PI);
  }
}

/** An SVG path of a class's mark, for the legend. */
export const markPath = (label: number): string => {
  const shape = shapeOf(label);
  if (shape === 'square') return 'M1.4 1.4h9.2v9.2h-9.2z';
  if (shape === 'triangle') return 'M6 .6 11.4 10H.6z';
  if (shape === 'diamond') return 'M6 0 12 6 6 12 0 6z';
  if (shape === 'cross') return 'M4 0h4v4h4v4H8v4H4V8H0V4h4z';
  return 'M6 1a5 5 0 1 0 0 10A5 5 0 1 0 6 1z';
};

/** Where points are on a canvas of this size: as large as fits, the same in both directions. */
export function placed(points: Float32Array, width: number, height: number, margin: number): Float32Array {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i] as number, points[i + 1] as number];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  const scale = Math.min(
    (width - 2 * margin) / Math.max(right - left, 1e-9),
    (height - 2 * margin) / Math.max(bottom - top, 1e-9),
  );
  return points.map((value, i) =>
    i % 2 === 0
      ? width / 2 + (value - (left + right) / 2) * scale
      : height / 2 - (value - (top + bottom) / 2) * scale,
  );
}

/** The point next to (x, y), if it is within `reach`. */
export function nearest(places: Float32Array, x: number, y: number, reach: number): number | null {
  let [best, found]: [number, number | null] = [reach * reach, null];
  for (let i = 0; i < places.length; i += 2) {
    const distance = ((places[i] as number) - x) ** 2 + ((places[i + 1] as number) - y) ** 2;
    if (distance <= best) [best, found] = [distance, i / 2];
  }
  return found;
}
