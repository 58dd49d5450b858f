import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

test("the first load is under 100 KiB compressed", async () => {
  const files = await Promise.all(["index.html", "app.js", "style.css"].map((file) => readFile(`dist/${file}`)));
  const bytes = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
  assert.ok(bytes < 100 * 1024, `${bytes} bytes`);
});

test("the page has no script or style of its own outside its files", async () => {
  const page = await readFile("dist/index.html", "utf8");
  assert.doesNotMatch(page, /<script(?![^>]*src=)|<style|style=|\son[a-z]+=|https?:/);
});
