/** The last values as a line, the newest at the right. Decoration: the words beside it say the same. */
export function Sparkline({ values }: { values: number[] }) {
  const most = Math.max(...values, 0.001);
  const step = 100 / Math.max(values.length - 1, 1);
  const points = values.map((value, index) => `${(index * step).toFixed(1)},${(30 - (value / most) * 26).toFixed(1)}`);
  return (
    <svg className="sparkline" viewBox="0 0 100 32" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.length === 1 ? `0,4 100,4` : points.join(" ")} />
    </svg>
  );
}
