import assert from "node:assert/strict";
import { test } from "node:test";
import { type Json, patched } from "./patch.ts";

test("rows that did not change stay the same objects", () => {
  const old: Json = { rows: [{ name: "a", lag: 1 }, { name: "b", lag: 2 }], total: 3 };
  const now = patched(old, [
    { rows: ["rows"], by: "name", order: ["b", "c", "a"], changed: { a: { name: "a", lag: 9 }, c: { name: "c", lag: 4 } } },
    { set: ["total"], value: 15 },
  ]) as { rows: Json[]; total: number };
  assert.deepEqual(now, { rows: [{ name: "b", lag: 2 }, { name: "c", lag: 4 }, { name: "a", lag: 9 }], total: 15 });
  assert.equal(now.rows[0], (old["rows"] as Json[])[1]);
});

test("fields come and go at any depth, and the old is left as it was", () => {
  const old: Json = { a: { b: { c: 1, d: 2 } } };
  const now = patched(old, [{ gone: ["a", "b", "d"] }, { set: ["a", "b", "e"], value: null }, { set: ["a", "b", "c"], value: [1] }]);
  assert.deepEqual(now, { a: { b: { c: [1], e: null } } });
  assert.deepEqual(old, { a: { b: { c: 1, d: 2 } } });
});

test("an answer may change as a whole", () => {
  assert.deepEqual(patched({ a: 1 }, [{ set: [], value: [] }]), []);
});

test("a row that was never told is an error and no hole", () => {
  assert.throws(() => patched({ rows: [] }, [{ rows: ["rows"], by: "name", order: ["a"], changed: {} }]), /never told/);
});
