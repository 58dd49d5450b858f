// Takes a picture of every screen of a running system, in both themes, wide and narrow:
//   node test/look.mjs http://127.0.0.1:8081 /tmp/pictures [screen…]
import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";

const [base, out, ...only] = process.argv.slice(2);
await mkdir(out, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const first = async (path, pick) => pick(await (await fetch(`${base}/ops/v1/${path}`)).json());
const order = await first("orders?limit=40", ({ orders }) => (orders.find((each) => each.status === "confirmed") ?? orders[0])?.orderId ?? "none");
const stuck = await first("orders?status=processing", ({ orders }) => orders[0]?.orderId ?? order);
const letter = await first("dlq", ({ letters }) => letters[0]?.letterId ?? "none");
const screens = {
  overview: "overview", orders: "orders", order: `orders/${order}`, stuck: `orders/${stuck}`, trace: `trace/${order}`, "trace-stuck": `trace/${stuck}`,
  actors: "actors", consumers: "consumers", consumer: "consumers/inventory", "dead-letters": "dead-letters", letter: `dead-letters/${letter}`,
  relay: "relay", projections: "projections", projection: "projections/customer_orders", events: "events", system: "system", audit: "audit",
};
for (const [theme, width] of [["light", 1440], ["dark", 1440], ["light", 360], ["dark", 360]]) {
  const page = await (await browser.newContext({ viewport: { width, height: width > 500 ? 900 : 740 }, colorScheme: theme })).newPage();
  page.on("console", (message) => message.type() === "error" && console.log(`${theme} ${width}: ${message.text()}`));
  page.on("pageerror", (error) => console.log(`${theme} ${width}: ${error}`));
  for (const [name, path] of Object.entries(screens)) {
    if (only.length > 0 && !only.includes(name)) continue;
    await page.goto(`${base}/dashboard/${path}`);
    await page.waitForFunction(() => !document.body.innerText.includes("Asking"), null, { timeout: 8_000 }).catch(() => console.log(`${name} asks for ever`));
    await page.waitForTimeout(300);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 0) console.log(`${name} at ${width}: ${wide} px too wide`);
    await page.screenshot({ path: `${out}/${name}-${theme}-${width}.png`, fullPage: true });
  }
}
await browser.close();
