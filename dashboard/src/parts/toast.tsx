// What has just been done or refused, until it is read.
import { signal } from "@preact/signals";
import { Problem } from "../api.ts";

interface Toast {
  id: number;
  text: string;
  isBad: boolean;
}

const toasts = signal<Toast[]>([]);
let last = 0;

export function say(text: string, isBad = false): void {
  last += 1;
  const id = last;
  toasts.value = [...toasts.value, { id, text, isBad }].slice(-4);
  if (!isBad) setTimeout(() => dismiss(id), 8_000);
}

export function sayProblem(error: unknown): void {
  if (error instanceof Problem) say(`${error.message}${error.next ? `. ${error.next}` : ""}`, true);
  else say(String(error), true);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div key={toast.id} class={`toast ${toast.isBad ? "bad" : ""}`}>
          <span>{toast.text}</span>
          <button type="button" class="plain" onClick={() => dismiss(toast.id)}>
            Close
          </button>
        </div>
      ))}
    </div>
  );
}
