// Where the tab is: everything that identifies a view is in the URL.
import { signal } from "@preact/signals";

const BASE = "/dashboard/";

export interface Place {
  /** Words of the path below the dashboard, decoded: `["orders", "<id>"]`. */
  path: string[];
  query: URLSearchParams;
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    return word; // Rubbish in the address is an id that does not exist, not a broken page.
  }
}

function read(): Place {
  const words = location.pathname.slice(BASE.length).split("/").filter((word) => word !== "");
  return { path: words.map(decoded), query: new URLSearchParams(location.search) };
}

export const place = signal(read());

addEventListener("popstate", () => {
  place.value = read();
});

/** Address of a view: `to("orders", id)`, `to("events", { type: "order.created" })`. */
export function to(...parts: (string | Record<string, string | undefined>)[]): string {
  const path = parts.filter((part) => typeof part === "string").map(encodeURIComponent).join("/");
  const query = new URLSearchParams();
  for (const part of parts) {
    if (typeof part === "string") continue;
    for (const [name, value] of Object.entries(part)) if (value) query.set(name, value);
  }
  const text = query.toString();
  return BASE + path + (text ? `?${text}` : "");
}

export function go(address: string): void {
  history.pushState(null, "", address);
  place.value = read();
  scrollTo(0, 0);
}

/** Changes one part of the view and stays on it: no new step to go back to. */
export function narrow(changes: Record<string, string | undefined>): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text ? `?${text}` : ""));
  place.value = read();
}

/** Links within the dashboard change the place without a load. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element).closest("a");
  if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.defaultPrevented) return;
  if (link.target || link.origin !== location.origin || !link.pathname.startsWith(BASE)) return;
  event.preventDefault();
  go(link.pathname + link.search);
}
