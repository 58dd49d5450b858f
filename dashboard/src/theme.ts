// Light or dark: what somebody chose on this machine, else what the system says.
import { signal } from "@preact/signals";

const KEY = "ordo-theme";
type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme | null {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : null;
  } catch {
    return null; // A browser that keeps nothing has the system's theme.
  }
}

export const theme = signal<Theme>("light");

export function applyTheme(): void {
  theme.value = chosen() ?? (system.matches ? "dark" : "light");
  document.documentElement.dataset["theme"] = theme.value;
}

export function otherTheme(): void {
  try {
    localStorage.setItem(KEY, theme.value === "dark" ? "light" : "dark");
    applyTheme();
  } catch {
    theme.value = theme.value === "dark" ? "light" : "dark";
    document.documentElement.dataset["theme"] = theme.value;
  }
}

system.addEventListener("change", applyTheme);
