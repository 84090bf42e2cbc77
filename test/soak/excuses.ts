import type { Failure, SentRequest } from './ledger.js';

/** A replica that was killed on purpose. */
export interface Victim {
  readonly pid: number;
  /** Host and port. */
  readonly address: string;
  /** Epoch milliseconds. */
  readonly killedAt: number;
}

/** Time in which Redis was away, in epoch milliseconds; open while it still is. */
export interface Outage {
  readonly from: number;
  to?: number;
}

/** How long after Redis is back a replica may still refuse, and what it kept be told. Milliseconds. */
const RECOVERY_MS = 15_000;
/** How long after Redis is back a replica may still keep what it has to publish: its connection, its beat, its sweep. */
const FLUSH_MS = 5_000;

/** What this program has done to the cluster, and which failures that explains. Whatever it does not explain counts. */
export class Excuses {
  victim: Victim | undefined;
  outage: Outage | undefined;
  /** From the kill until the last call that ran there had its terminal error. */
  slowestTerminalErrorMs = 0;

  /** @param balancerLog names, of a request that no replica answered, its URL and the replica it was sent to */
  constructor(private readonly balancerLog: () => string) {}

  of(request: SentRequest, { status, retryAfter }: Failure): 'refused' | 'killed' | undefined {
    if (status === 503 && retryAfter !== undefined && this.redisAway()) return 'refused';
    return this.wasWithVictim(request) ? 'killed' : undefined;
  }

  /** Whether a request was with the replica that was killed: that one answered it, or the balancer says so. */
  wasWithVictim({ seq, replica, sentAt }: SentRequest): boolean {
    const { victim } = this;
    if (!victim) return false;
    if (replica !== undefined) return replica === victim.pid;
    // One that was sent much later cannot have met it.
    if (sentAt > victim.killedAt + RECOVERY_MS) return false;
    const ofRequest = this.balancerLog()
      .split('\n')
      .filter((line) => line.includes(`?r=${seq} `));
    return ofRequest.length > 0 && ofRequest.every((line) => line.includes(`"http://${victim.address}/`));
  }

  /** A call that ran on the victim has just been ended with an error. */
  noteTerminalError(): void {
    const tookMs = Date.now() - (this.victim?.killedAt ?? 0);
    this.slowestTerminalErrorMs = Math.max(this.slowestTerminalErrorMs, tookMs);
  }

  /** Whether Redis is away, or has been a moment ago. */
  redisAway(now = Date.now()): boolean {
    const { outage } = this;
    return outage !== undefined && now >= outage.from && now <= (outage.to ?? Infinity) + RECOVERY_MS;
  }

  /**
   * Whether something published in this time may have waited at some replica for Redis to come back. It is told then,
   * but in no order that could be known: each replica keeps its own.
   */
  mayHaveWaited(beganAt: number, endedAt: number): boolean {
    const { outage } = this;
    return outage !== undefined && endedAt >= outage.from && beganAt <= (outage.to ?? Infinity) + FLUSH_MS;
  }
}
