// A tab that nobody looks at asks for nothing: live data stops 20 s after it is hidden, and goes on when it is seen.

/** What is needed of a clock, so that a test can turn it. */
export interface Clock {
  after(milliseconds: number, run: () => void): number;
  cancel(timer: number): void;
}

export const wallClock: Clock = {
  after: (milliseconds, run) => setTimeout(run, milliseconds) as unknown as number,
  cancel: (timer) => clearTimeout(timer),
};

export const HIDDEN_FOR = 20_000;

/** Calls `stop` once the tab has been hidden for so long, and `resume` when it is seen again after that. */
export class Watch {
  private timer: number | undefined;
  private isStopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly stop: () => void,
    private readonly resume: () => void,
  ) {}

  seen(isVisible: boolean): void {
    if (!isVisible) {
      if (this.timer === undefined && !this.isStopped) this.timer = this.clock.after(HIDDEN_FOR, () => this.end());
      return;
    }
    if (this.timer !== undefined) this.clock.cancel(this.timer);
    this.timer = undefined;
    if (this.isStopped) {
      this.isStopped = false;
      this.resume();
    }
  }

  private end(): void {
    this.timer = undefined;
    this.isStopped = true;
    this.stop();
  }
}
