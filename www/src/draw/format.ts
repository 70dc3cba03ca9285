// Numbers as people read them; tabular and short.

const grouped = new Intl.NumberFormat('en');

/** 61706 → "61,706". */
export const whole = (value: number): string => grouped.format(Math.round(value));

/** A value with three significant digits, in the plainest form that fits. */
export function value(number: number): string {
  if (Number.isNaN(number)) return 'NaN';
  if (!Number.isFinite(number)) return number > 0 ? '∞' : '−∞';
  const size = Math.abs(number);
  const text =
    size !== 0 && (size < 0.001 || size >= 100_000)
      ? number.toExponential(1)
      : String(+number.toPrecision(3));
  return text.replaceAll('-', '−');
}

/** 0.987 → "98.7 %". */
export const percent = (share: number, digits = 1): string => `${(share * 100).toFixed(digits)} %`;

/** 61706 → "61.7 k", 269722 → "270 k", 1.2e6 → "1.2 M". */
export function short(count: number): string {
  const [size, unit] =
    count >= 1e9 ? [1e9, ' G'] : count >= 1e6 ? [1e6, ' M'] : count >= 1e4 ? [1e3, ' k'] : [1, ''];
  return unit ? `${+(count / size).toPrecision(3)}${unit}` : whole(count);
}

/** Seconds as "12 s", "3 min 05 s", "1 h 20 min". */
export function duration(seconds: number): string {
  const s = Math.ceil(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, '0')} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** [6, 28, 28] → "6@28x28", as LeCun et al. 1998 write it, for where room is short; vectors just their length. */
export const tightShape = (dims: readonly number[]): string => shape(dims).replaceAll(' ', '');

/** [6, 28, 28] → "6 @ 28x28"; vectors just their length. */
export const shape = ([c, h, w]: readonly number[]): string =>
  h === 1 && w === 1 ? `${c}` : `${c} @ ${h}x${w}`;
