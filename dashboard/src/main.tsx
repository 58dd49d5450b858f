import { render } from "preact";
import { whoAmI } from "./api.ts";
import { Frame } from "./frame.tsx";
import { applyTheme } from "./theme.ts";

applyTheme();
const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  render(<Frame />, root);
}

/** The server may be starting: it is asked until it says who asks. */
async function begin(): Promise<void> {
  try {
    await whoAmI();
  } catch {
    setTimeout(() => void begin(), 2_000);
  }
}
void begin();
