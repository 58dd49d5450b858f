// How values are written: the same everywhere, and never a zero for what is unknown.
import type { ComponentChildren } from "preact";

export type Tone = "good" | "warn" | "bad" | "info" | "plain";

export function Chip({ tone = "plain", children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`chip ${tone}`}>{children}</span>;
}

/** A number with its thousands apart; a dash, with the reason on request, for what is not known. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : Math.round(value).toLocaleString("en");
}

export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return `${value < 10 ? value.toFixed(1) : count(value)}/s`;
}

/** Seconds in words: `4 s`, `3 min 20 s`, `2 h 5 min`, `3 d`. */
export function span(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  const s = Math.max(0, seconds);
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 60) return `${s < 10 ? s.toFixed(1) : Math.round(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** A moment in UTC, as the logs write it. */
export function moment(text: string | null | undefined): string {
  return text ? `${text.slice(0, 10)} ${text.slice(11, 19)}` : "–";
}

export function Moment({ at }: { at: string | null | undefined }) {
  return at ? <time dateTime={at} title={`${at} (UTC)`}>{moment(at)}</time> : <>–</>;
}

/** Integer minor units; every currency here has two digits but those that say otherwise. */
export function money(amount: number | string | null | undefined, currency: string): string {
  if (amount === null || amount === undefined) return "–";
  return new Intl.NumberFormat("en", { style: "currency", currency }).format(
    Number(amount) / 10 ** (new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits ?? 2),
  );
}

export function Id({ id, length = 8 }: { id: string; length?: number }) {
  return <code class="id" title={id}>{id.length > length + 6 ? `${id.slice(0, length)}…${id.slice(-4)}` : id}</code>;
}

export function Meter({ percent, label }: { percent: number; label: string }) {
  const value = Math.max(0, Math.min(100, percent));
  return (
    <div class="meter" role="progressbar" aria-valuenow={Math.round(value)} aria-valuemin={0} aria-valuemax={100} aria-label={label}>
      <i style={{ width: `${value}%` }} />
    </div>
  );
}

/** A sentence of the server, in which commands stand between backticks. */
export function Said({ text }: { text: string }) {
  return <>{text.split("`").map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}
