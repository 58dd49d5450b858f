import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, HIDDEN_FOR, Watch } from "./hidden.ts";

class Turned implements Clock {
  private now = 0;
  private timers = new Map<number, { at: number; run: () => void }>();
  private last = 0;

  after(milliseconds: number, run: () => void): number {
    this.last += 1;
    this.timers.set(this.last, { at: this.now + milliseconds, run });
    return this.last;
  }

  cancel(timer: number): void {
    this.timers.delete(timer);
  }

  turn(milliseconds: number): void {
    this.now += milliseconds;
    for (const [timer, { at, run }] of this.timers) {
      if (at <= this.now) {
        this.timers.delete(timer);
        run();
      }
    }
  }
}

function watched() {
  const clock = new Turned();
  const told: string[] = [];
  return { clock, told, watch: new Watch(clock, () => told.push("stop"), () => told.push("go on")) };
}

test("a tab that is hidden for less than half a minute stops asking, and goes on when it is seen", () => {
  const { clock, told, watch } = watched();
  assert.ok(HIDDEN_FOR <= 30_000);
  watch.seen(false);
  clock.turn(HIDDEN_FOR - 1);
  assert.deepEqual(told, []);
  clock.turn(1);
  assert.deepEqual(told, ["stop"]);
  clock.turn(10 * HIDDEN_FOR);
  watch.seen(false);
  clock.turn(10 * HIDDEN_FOR);
  assert.deepEqual(told, ["stop"], "it stops once");
  watch.seen(true);
  assert.deepEqual(told, ["stop", "go on"]);
});

test("a tab that is seen again in time never stops", () => {
  const { clock, told, watch } = watched();
  for (let times = 0; times < 5; times += 1) {
    watch.seen(false);
    clock.turn(HIDDEN_FOR - 1);
    watch.seen(true);
  }
  clock.turn(10 * HIDDEN_FOR);
  assert.deepEqual(told, []);
});
