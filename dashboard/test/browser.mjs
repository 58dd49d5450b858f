// What the page does in a real browser: `node test/browser.mjs <case> <listener> [<json>]`. Started by tests/dashboard/, which
// prepares what is looked at; ends with 1 and a reason when a promise is not kept.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { chromium } from "playwright-core";

const [name, base, given] = process.argv.slice(2);
const told = JSON.parse(given ?? "{}");
const axe = await readFile(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const PATIENCE = 40_000;

/** A tab in which every error and every request that leaves this listener fails the test. */
async function tab({ width = 1440, theme = "light", allows = [] } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: theme, reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const wrong = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !allows.some((each) => message.text().includes(each))) wrong.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => wrong.push(`page: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:")) wrong.push(`leaves the machine: ${request.url()}`);
  });
  page.on("dialog", (dialog) => wrong.push(`dialog: ${dialog.message()}`));
  return { page, context, wrong };
}

async function open(page, path) {
  await page.goto(`${base}/dashboard/${path}`);
  await answered(page);
}

/** Until every part of the screen has its answer. */
async function answered(page) {
  await page.waitForFunction(() => document.querySelector("main") && !/Asking|not known yet|connecting/.test(document.querySelector(".frame")?.textContent ?? "Asking"));
}

async function accessible(page, where) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  const said = violations.flatMap((each) => each.nodes.map((node) => `${each.id}: ${each.help}: ${node.html.slice(0, 160)}: ${node.failureSummary ?? ""}`));
  return said.map((each) => `${where}: ${each}`);
}

/** The dialog of an action: reason, what it would do, done. */
async function act(page, label, fields = {}) {
  await page.getByRole("button", { name: label, exact: true }).first().click();
  const dialog = page.getByRole("dialog");
  for (const [field, value] of Object.entries(fields)) await dialog.getByLabel(field).fill(value);
  await dialog.getByLabel(/^Reason/).fill("a test does it");
  await dialog.getByRole("button", { name: "Show what it would do" }).click();
  await dialog.getByText(/Tried and undone/).waitFor();
  await dialog.getByRole("button", { name: / now$/ }).click();
  await page.getByText(/: done\. Audit/).last().waitFor();
}

const cases = {
  /** Every screen, in both themes, wide and narrow: no violation, no error, nothing from elsewhere, nothing too wide. */
  async screens() {
    const violations = [];
    for (const [theme, width] of [["light", 1440], ["dark", 1440], ["dark", 360]]) {
      const { page, context, wrong } = await tab({ theme, width });
      for (const path of told.paths) {
        await open(page, path);
        const isDark = (await page.evaluate(() => document.documentElement.dataset.theme)) === "dark";
        assert.equal(isDark, theme === "dark", "the theme is the system's");
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wide <= 0, `${path} at ${width} px is ${wide} px too wide`);
        if (width > 500) violations.push(...(await accessible(page, `${path}, ${theme}`)));
      }
      assert.deepEqual(wrong, []);
      await context.close();
    }
    assert.deepEqual(violations, []);
  },

  /** A dead letter is tried without effect, then replayed with a patch, and what waited behind it goes on. */
  async letter() {
    const { page, wrong } = await tab();
    await open(page, "overview");
    await page.locator(".needs li", { hasText: "inventory gave up" }).getByRole("link", { name: "Show" }).click();
    await page.getByRole("region", { name: "letters table" }).getByRole("link").first().click();
    await page.getByRole("button", { name: "Try", exact: true }).click();
    await page.locator(".sentence.bad").waitFor();
    const patch = JSON.stringify([{ op: "replace", path: "/userId", value: "mended" }]);
    await page.getByLabel(/^Change the payload first, as a JSON patch; may be empty/).fill(patch);
    await page.getByRole("button", { name: "Try", exact: true }).click();
    await page.locator(".sentence.good").waitFor();
    await page.getByText("would append inventory.reserved").waitFor();
    await act(page, "Replay");
    await page.locator("section[aria-label=Letter] .chip", { hasText: "resolved" }).waitFor();
    await page.goto(`${base}/dashboard/orders/${told.order}`);
    await page.locator('.sentence[data-code="no_automatic_step"]').waitFor();
    assert.deepEqual(wrong, []);
  },

  /** Found, tried and replayed with keys alone. */
  async keyboard() {
    const { page, wrong } = await tab();
    await open(page, "overview");
    const keys = async (...names) => {
      for (const each of names) await page.keyboard.press(each);
    };
    await keys("g", "d");
    await answered(page);
    // The focus goes to the content, so tabbing begins there.
    const tabTo = async (fits, what) => {
      for (let steps = 0; steps < 80; steps += 1) {
        await page.keyboard.press("Tab");
        if (await page.evaluate(fits)) return;
      }
      assert.fail(`no tab stop: ${what}`);
    };
    await tabTo(() => /^\/dashboard\/dead-letters\/[0-9a-f-]{36}$/.test(document.activeElement?.getAttribute("href") ?? ""), "a letter");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, "none", "the focus is seen");
    await keys("Enter");
    await page.getByRole("heading", { name: /given up by/ }).waitFor();
    await tabTo(() => document.activeElement?.textContent === "Try", "Try");
    await keys("Enter");
    await page.locator(".sentence.bad").waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("consum");
    await keys("Enter");
    await page.getByRole("heading", { name: "Consumers" }).first().waitFor();
    await keys("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await keys("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.deepEqual(wrong, []);
  },

  /** A consumer is paused and resumed; a button that is not allowed says why. */
  async pause() {
    const { page, wrong } = await tab();
    await open(page, "consumers/inventory");
    const state = page.locator("section[aria-label=inventory] header .chip");
    const resume = page.getByRole("button", { name: "Resume", exact: true });
    await page.waitForFunction(() => [...document.querySelectorAll("button")].some((each) => each.textContent === "Resume" && each.disabled));
    assert.match((await resume.getAttribute("title")) ?? "", /\w/, "it says why not");
    await act(page, "Pause");
    await state.getByText("paused").waitFor();
    await page.getByText("local: a test does it").waitFor();
    await act(page, "Resume");
    await state.getByText("running").waitFor();
    await open(page, "audit");
    await page.getByRole("cell", { name: "consumers pause", exact: true }).waitFor();
    assert.deepEqual(wrong, []);
  },

  /** A read model is rebuilt, compared, promoted and rolled back. */
  async rebuild() {
    const { page, wrong } = await tab();
    await open(page, "projections/customer_orders");
    await act(page, "Rebuild…");
    await page.getByText(/all equal/).waitFor();
    await page.locator(".chip", { hasText: "written" }).waitFor();
    await act(page, "Promote");
    await page.getByText(/was active before/).waitFor();
    await act(page, "Roll back");
    await page.getByText(/was active before/).waitFor();
    assert.deepEqual(wrong, []);
  },

  /** What has not happened is drawn as such, and as done once it is, without a reload. */
  async trace() {
    const { page, wrong } = await tab();
    await open(page, `trace/${told.order}`);
    await page.locator('[data-effect="inventory not_reached"]').waitFor();
    await page.evaluate(() => (globalThis.isTheSamePage = true));
    await fetch(`${base}/ops/v1/consumers/resume`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ args: { consumer: "inventory" }, reason: "a test goes on" }) });
    await page.locator('[data-effect="inventory applied"]').first().waitFor();
    await page.locator('svg .event', { hasText: "order.confirmed" }).waitFor();
    assert.equal(await page.evaluate(() => globalThis.isTheSamePage), true);
    assert.deepEqual(wrong, []);
  },

  /** Five steps, each ticked off as it is done, without a reload. */
  async tour() {
    const { page, wrong } = await tab();
    const isDone = (step) => page.locator(`.tour li.done[data-step="${step}"]`).waitFor();
    const home = async () => {
      await page.getByRole("navigation", { name: "Screens" }).getByRole("link", { name: /^Overview/ }).click();
      await answered(page);
    };
    await open(page, "overview");
    assert.equal(await page.locator(".tour li").count(), 5);
    assert.equal(await page.locator(".tour li.done").count(), 0, "what the demonstration did does not count");
    const wish = { userId: "tour", items: [{ productId: "tea-gyokuro", quantity: 1 }] };
    const placed = await fetch(`${told.rest}/v1/orders`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(wish) });
    assert.equal(placed.status, 202);
    await isDone("place");
    await page.locator('.tour li[data-step="why"] a').click();
    await page.getByRole("region", { name: "orders table" }).getByRole("link").first().click();
    await page.locator(".sentence").waitFor();
    await act(page, "Show the customer");
    await page.getByText(/^demo-/).first().waitFor();
    await home();
    await isDone("why");
    await page.locator('.tour li[data-step="hold"] a').click();
    await act(page, "Pause");
    await act(page, "Resume");
    await home();
    await isDone("hold");
    await page.goto(`${base}/dashboard/dead-letters?consumer=inventory`);
    await page.getByRole("region", { name: "letters table" }).getByRole("link").first().click();
    await page.getByRole("button", { name: "Try", exact: true }).click();
    await page.locator(".sentence.bad").waitFor();
    await page.getByLabel(/^Change the payload first, as a JSON patch; may be empty/).fill(JSON.stringify([{ op: "replace", path: "/userId", value: "mended" }]));
    await page.getByRole("button", { name: "Try", exact: true }).click();
    await page.locator(".sentence.good").waitFor();
    await act(page, "Replay");
    await page.locator("section[aria-label=Letter] .chip", { hasText: "resolved" }).waitFor();
    await home();
    await isDone("replay");
    await page.locator('.tour li[data-step="rebuild"] a').click();
    const pace = page.getByRole("button", { name: "Pace…", exact: true });
    const promote = page.getByRole("button", { name: "Promote", exact: true });
    await pace.or(promote).first().waitFor();
    if (await pace.isVisible()) await act(page, "Pace…", { "Most events a second; 0 for as many as can be": "0" });
    await page.getByText(/all equal/).waitFor();
    await act(page, "Promote");
    await home();
    await isDone("rebuild");
    assert.deepEqual(wrong, []);
  },

  /** Why an order is where it is stands on top of it, as the server says it. */
  async why() {
    const { page, wrong } = await tab();
    for (const { order, code, words } of told.situations) {
      await page.goto(`${base}/dashboard/orders/${order}`);
      const sentence = page.locator(`.sentence[data-code="${code}"]`);
      await sentence.waitFor();
      const text = await sentence.innerText();
      for (const word of words) assert.ok(text.includes(word.replaceAll("`", "")), `${word} is not in ${text}`);
    }
    assert.deepEqual(wrong, []);
  },

  /** Without a token nothing is shown; a viewer may look and not act; an ended session asks for the token again. */
  async login() {
    const { page, context, wrong } = await tab({ allows: ["401", "403"] });
    await page.goto(`${base}/dashboard/consumers/inventory`);
    await page.getByLabel("Your operator token").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText(/no configured token is this one/).waitFor();
    assert.deepEqual(await accessible(page, "login"), []);
    await page.getByLabel("Your operator token").fill(told.viewer);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.locator("section[aria-label=inventory] header .chip", { hasText: "running" }).waitFor();
    const [cookie] = await context.cookies();
    assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.name], [true, "Strict", `ordo_session_${new URL(base).port}`]);
    assert.equal(await page.evaluate(() => document.cookie), "", "no script sees it");
    await page.waitForFunction(() => [...document.querySelectorAll("button")].some((each) => each.textContent === "Pause" && each.disabled && each.title.includes("operator")));
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Your operator token").fill(told.operator);
    await page.getByRole("button", { name: "Log in" }).click();
    await act(page, "Pause");
    // The session ends elsewhere, in the middle of an action: nothing is done, and the page asks who it is.
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    const session = await page.evaluate(async () => (await (await fetch("/ops/v1/session")).json()).csrf);
    await page.evaluate((csrf) => fetch("/ops/v1/session", { method: "DELETE", headers: { "x-ordo-csrf": csrf } }), session);
    await page.getByLabel(/^Reason/).fill("never done");
    await page.getByRole("button", { name: "Show what it would do" }).click();
    await page.getByText("The session has ended. Nothing was done with it.").waitFor();
    assert.deepEqual(wrong, []);
  },

  /** Markup in what customers send is text; rubbish in an address is a clear no; the server may go away and come back. */
  async hostile() {
    const { page, wrong } = await tab({ allows: ["404", "400", "422", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET"] });
    for (const path of told.paths) {
      await page.goto(`${base}/dashboard/${path}`);
      await page.locator("main .notice, main .empty, main p").first().waitFor();
    }
    await open(page, `dead-letters/${told.letter}`);
    await page.getByText("<img src=x onerror=alert(1)>").first().waitFor();
    assert.equal(await page.locator("main img, main script").count(), 0);
    assert.deepEqual(wrong, []);
  },
};

try {
  assert.ok(cases[name], `there is no case ${name}; there are ${Object.keys(cases).join(", ")}`);
  await cases[name]();
} catch (error) {
  console.error(error);
  for (const context of browser.contexts()) {
    for (const page of context.pages()) {
      console.error(`at ${page.url()}: ${await page.evaluate(() => document.body.innerText.slice(0, 1_500)).catch(() => "")}`);
      if (process.env.PICTURE) await page.screenshot({ path: process.env.PICTURE, fullPage: true });
    }
  }
  process.exitCode = 1;
} finally {
  await browser.close();
}
