/** How many times in a period a look is taken at whose turn it is. */
const LOOKS = 20;

/**
 * Does something for each of its members once in a period, as a timer of their own would, spread as they have come:
 * thousands of open streams share one timer.
 */
export class Rounds<T> {
  /** When each is next, by the clock of the process; who has just had its turn is last. */
  private readonly dueAt = new Map<T, number>();
  private timer: NodeJS.Timeout | undefined;

  /** @param periodMs milliseconds; a turn comes late by a twentieth of them at most */
  constructor(
    private readonly periodMs: number,
    private readonly visit: (member: T) => void,
  ) {}

  add(member: T): void {
    this.dueAt.set(member, performance.now() + this.periodMs);
    this.timer ??= setInterval(() => this.look(), Math.max(1, this.periodMs / LOOKS)).unref();
  }

  remove(member: T): void {
    this.dueAt.delete(member);
    if (this.dueAt.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    const now = performance.now();
    for (const [member, dueAt] of this.dueAt) {
      if (dueAt > now) return;
      this.dueAt.delete(member);
      this.dueAt.set(member, now + this.periodMs);
      this.visit(member);
    }
  }
}
