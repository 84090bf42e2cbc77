/** A clock that only a test moves. */
export class Clock {
  private time = Date.UTC(2026, 0, 1);

  readonly now = (): number => this.time;

  readonly advance = (ms: number): void => {
    this.time += ms;
  };
}
