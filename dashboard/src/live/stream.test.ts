import assert from "node:assert/strict";
import { test } from "node:test";
import { Parser, type Told } from "./stream.ts";

const TEXT = ': ordo\n\nevent: snapshot\ndata: {"a":1}\n\n: still here\n\nevent: bye\ndata: {}\n\n';

test("events are read whatever pieces they come in", () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const parser = new Parser();
    const told: Told[] = [];
    for (let at = 0; at < TEXT.length; at += size) told.push(...parser.push(TEXT.slice(at, at + size)));
    assert.deepEqual(told, [{ name: "snapshot", data: '{"a":1}' }, { name: "bye", data: "{}" }], `pieces of ${size}`);
  }
});

test("what is not finished is not told", () => {
  assert.deepEqual(new Parser().push("event: snapshot\ndata: {}\n"), []);
});
