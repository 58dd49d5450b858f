import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { word } from "./screen.ts";

test("whatever an address holds is one word of a shell and runs nothing", () => {
  for (const text of ["plain/word-1.2", "two words", "it's", "';echo gone;'", "$(echo gone)", "`echo gone`", "a?b=c&d=e", ""]) {
    assert.equal(execFileSync("sh", ["-c", `printf %s ${word(text)}`], { encoding: "utf8" }), text);
  }
});
