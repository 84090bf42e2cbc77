import { type PutOff, atEndOfTurn } from '../protocol/end-of-turn.js';
import { CallTimedOut } from '../protocol/interruptions.js';

/** The time limit of a call. Time spent waiting for the client does not count. */
export class CallClock implements PutOff {
  private timer: NodeJS.Timeout | undefined;
  private startedAt = 0;
  private remainingMs: number;
  private pauses = 0;

  constructor(
    private readonly timeoutMs: number,
    private readonly onTimeout: (reason: CallTimedOut) => void,
  ) {
    this.remainingMs = timeoutMs;
    this.startedAt = Date.now();
    // A call that waits for nothing is over before there is need of a timer.
    atEndOfTurn(this);
  }

  pause(): void {
    if (this.pauses++ > 0) return;
    clearTimeout(this.timer);
    this.remainingMs -= Date.now() - this.startedAt;
  }

  resume(): void {
    if (--this.pauses > 0) return;
    this.startedAt = Date.now();
    this.start();
  }

  stop(): void {
    this.pauses = Number.POSITIVE_INFINITY;
    clearTimeout(this.timer);
  }

  /** @internal */
  endOfTurn(): void {
    if (this.pauses === 0) this.start();
  }

  private start(): void {
    clearTimeout(this.timer);
    const leftMs = this.remainingMs - (Date.now() - this.startedAt);
    this.timer = setTimeout(() => this.onTimeout(new CallTimedOut(this.timeoutMs)), Math.max(0, leftMs));
  }
}
