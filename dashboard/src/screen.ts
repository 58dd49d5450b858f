// What a screen is: one question, one file, one line in screens/all.ts.
import type { ComponentChildren } from "preact";
import type { Place } from "./route.ts";

export interface Screen {
  /** First word of its address. */
  id: string;
  title: string;
  /** Pressed after `g`. */
  key: string;
  /** What the address asks the server, below /ops/v1/. */
  question: (place: Place) => string;
  /** The same for a terminal. */
  cli: (place: Place) => string;
  /** Beginnings of the screens of the overview's needs that are counted here. */
  render: (place: Place) => ComponentChildren;
}

/** A question with its arguments; what is empty is left out. */
export function question(path: string, args: Record<string, string | null | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(args)) if (value) query.set(name, value);
  const text = query.toString();
  return path + (text ? `?${text}` : "");
}

/** A word for a shell. */
export function word(text: string): string {
  return /^[A-Za-z0-9._:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
