// A figure over time as one line, with its last, lowest and highest value in words for whoever cannot see it.
import { count } from "./show.tsx";

export function Spark({ points, unit }: { points: [number, number][]; unit: string }) {
  const [first, last] = [points[0], points[points.length - 1]];
  if (!first || !last || points.length < 2) return <p class="quiet small">Nothing is known of it yet.</p>;
  const values = points.map((point) => point[1]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const width = Math.max(1, last[0] - first[0]);
  const height = Math.max(high - Math.min(0, low), 1e-9);
  const x = (at: number) => (((at - first[0]) / width) * 300).toFixed(1);
  const y = (value: number) => (32 - ((value - Math.min(0, low)) / height) * 30).toFixed(1);
  // A step that was not seen is a gap and no line.
  const step = Math.max(3, (width / points.length) * 3);
  let path = "";
  let before = -Infinity;
  for (const [at, value] of points) {
    path += `${at - before > step ? "M" : "L"}${x(at)} ${y(value)}`;
    before = at;
  }
  const now = last[1];
  return (
    <figure class="stack">
      <svg class="spark" viewBox="0 0 300 34" preserveAspectRatio="none" role="img" aria-label={`now ${text(now)}, lowest ${text(low)}, highest ${text(high)} ${unit}, over ${Math.round(width / 60)} minutes`}>
        <path d={path} />
      </svg>
      <figcaption class="quiet small">
        now {text(now)} · highest {text(high)} {unit} · {Math.max(1, Math.round(width / 60))} min
      </figcaption>
    </figure>
  );
}

function text(value: number): string {
  return Math.abs(value) < 10 ? value.toFixed(1) : count(value);
}
