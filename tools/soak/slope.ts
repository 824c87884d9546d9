/** Least squares through equally spaced values: the slope per step and half the width of its 95 % interval (normal; NaN for fewer than three values). */
export function slopeOf(values: readonly number[]): { readonly slope: number; readonly error: number } {
  const n = values.length;
  const [meanX, meanY] = [(n - 1) / 2, values.reduce((sum, value) => sum + value, 0) / n];
  const xx = values.reduce((sum, _, x) => sum + (x - meanX) ** 2, 0);
  const slope = values.reduce((sum, y, x) => sum + (x - meanX) * (y - meanY), 0) / xx;
  const rest = values.reduce((sum, y, x) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  return { slope, error: n < 3 ? NaN : 1.96 * Math.sqrt(rest / (n - 2) / xx) };
}
