import assert from "node:assert/strict";
import { test } from "node:test";
import { count, money, rate, span } from "./show.tsx";

test("what is unknown is no zero", () => {
  for (const write of [count, rate, span]) {
    assert.equal(write(null), "–");
    assert.notEqual(write(0), "–");
  }
});

test("a time is told in two units at most and is never negative", () => {
  assert.deepEqual([-5, 0.25, 4.2, 59, 61, 3_700, 90_000].map(span), ["0 ms", "250 ms", "4.2 s", "59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]);
});

test("money is told in its currency's own digits", () => {
  assert.equal(money(1_999, "EUR"), "€19.99");
  assert.equal(money(1_999, "JPY"), "¥1,999");
});
