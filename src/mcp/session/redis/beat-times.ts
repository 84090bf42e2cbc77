/** Beats that are remembered until they are heard: what is not heard of for so long is lost rather than late. */
const REMEMBERED_BEATS = 60;

/** How long the beats of a replica take, by one clock: until Redis has answered, and until they have come back. */
export class BeatTimes {
  /** By their numbers: those that have not come back. */
  readonly #sentAt = new Map<number, number>();
  readonly #onWakeUp: (latencyMs: number) => void;
  #latencyMs: number | undefined;
  #wakeUpMs: number | undefined;

  constructor(onWakeUp: (latencyMs: number) => void) {
    this.#onWakeUp = onWakeUp;
  }

  /** Milliseconds that Redis took to answer the last beat; undefined if it did not. */
  get latencyMs(): number | undefined {
    return this.#latencyMs;
  }

  /** Milliseconds that the last beat which was heard took to come back. */
  get wakeUpMs(): number | undefined {
    return this.#wakeUpMs;
  }

  sent(beat: number, now: number): void {
    this.#sentAt.set(beat, now);
    this.#sentAt.delete(beat - REMEMBERED_BEATS);
  }

  answered(latencyMs: number): void {
    this.#latencyMs = latencyMs;
  }

  heard(beat: number): void {
    const sentAt = this.#sentAt.get(beat);
    if (sentAt === undefined) return;
    this.#sentAt.delete(beat);
    this.#wakeUpMs = performance.now() - sentAt;
    this.#onWakeUp(this.#wakeUpMs);
  }

  /** Redis is away: what was measured says nothing of now. */
  forget(): void {
    this.#latencyMs = undefined;
    this.#wakeUpMs = undefined;
  }
}
