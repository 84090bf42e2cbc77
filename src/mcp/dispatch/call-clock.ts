import { CallTimedOut } from '../protocol/interruptions.js';

/** The time limit of a call. Time spent waiting for the client does not count. */
export class CallClock {
  private timer: NodeJS.Timeout | undefined;
  private startedAt = 0;
  private remainingMs: number;
  private pauses = 0;

  constructor(
    private readonly timeoutMs: number,
    private readonly onTimeout: (reason: CallTimedOut) => void,
  ) {
    this.remainingMs = timeoutMs;
    this.start();
  }

  pause(): void {
    if (this.pauses++ > 0) return;
    clearTimeout(this.timer);
    this.remainingMs -= Date.now() - this.startedAt;
  }

  resume(): void {
    if (--this.pauses > 0) return;
    this.start();
  }

  stop(): void {
    this.pauses = Number.POSITIVE_INFINITY;
    clearTimeout(this.timer);
  }

  private start(): void {
    this.startedAt = Date.now();
    this.timer = setTimeout(() => this.onTimeout(new CallTimedOut(this.timeoutMs)), Math.max(0, this.remainingMs));
  }
}
