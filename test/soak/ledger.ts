import type { Receipt } from './sequence.js';

/** What is disturbed, in the order of a run; the first and the last are not disturbed. */
export const PHASES = ['opening', 'steady', 'rolling', 'kill', 'redis', 'closing'] as const;
export type PhaseName = (typeof PHASES)[number];

export type Outcome =
  /** Answered in full, with a status that was expected. */
  | 'ok'
  /** The client closed the connection on purpose. */
  | 'cut'
  /** 503 with Retry-After while Redis was away. */
  | 'refused'
  /** Was with the replica that was killed. */
  | 'killed'
  | 'failed';

const COUNTED = [
  'requests',
  ...(['ok', 'cut', 'refused', 'killed', 'failed'] as const satisfies readonly Outcome[]),
  /** Tool calls with the right result. */
  'calls',
  /** Calls that got a terminal error because their replica was killed. */
  'orphaned',
  /** Numbered events of calls, the first time each. */
  'progress',
  /** Numbered changes, the first time each. */
  'notifications',
  /** Streams that were taken up again with Last-Event-ID. */
  'resumed',
  /** Subscriptions of the stateless era that were opened again. */
  'relistened',
  'lost',
  'doubled',
  'reordered',
  /** Out of order, but published while Redis was away, when nobody can know an order. */
  'unordered',
  /** Published while a stateless client was not listening, of which nothing is promised. */
  'missed',
] as const;
export type Counter = (typeof COUNTED)[number];
export type Counts = Readonly<Record<Counter, number>>;

/** An HTTP request; its number goes with it as `?r=<seq>`, so that the balancer's log names it too. */
export interface SentRequest {
  readonly seq: number;
  readonly client: string;
  readonly what: string;
  /** Epoch milliseconds. */
  readonly sentAt: number;
  /** Process id of the replica that answered, once it has begun to. */
  replica: number | undefined;
  outcome: Outcome | undefined;
}

/** Something that counts against the server, or is excused. */
export interface Incident {
  readonly at: string;
  readonly phase: PhaseName;
  readonly client: string;
  readonly kind: string;
  readonly detail: string;
}

/** What is known of a request that did not end well. */
export interface Failure {
  readonly detail: string;
  readonly status?: number;
  /** Seconds. */
  readonly retryAfter?: string | undefined;
}

/** Says whether a failure was to be expected, and as what it counts then. */
export type Excuse = (request: SentRequest, failure: Failure) => 'refused' | 'killed' | undefined;

const MAX_INCIDENTS = 1_000;

/**
 * Counts, by phase. Each request is entered when it is sent and settled once; what is still open in the end was never
 * answered. A request is counted in the phase in which it is sent, its outcome in the one in which it ends, and a change
 * in the one in which it was published.
 */
export class Ledger {
  /** What is disturbed now. */
  phase: PhaseName = 'opening';
  readonly incidents: Incident[] = [];
  private readonly phases = new Map<PhaseName, Record<Counter, number>>();
  private readonly unsettled = new Map<number, SentRequest>();
  private readonly listeners = new Set<(request: SentRequest) => void>();
  private lastSeq = 0;

  constructor(private readonly excuse: Excuse = () => undefined) {}

  begin(client: string, what: string): SentRequest {
    const seq = (this.lastSeq += 1);
    const request = { seq, client, what, sentAt: Date.now(), replica: undefined, outcome: undefined };
    this.unsettled.set(seq, request);
    this.count('requests');
    return request;
  }

  /** The first word on a request stands; a later one does nothing. */
  settle(request: SentRequest, outcome: Exclude<Outcome, 'failed'>): void {
    this.end(request, outcome);
  }

  /** Settles a request that did not end well. @returns as what it counts */
  fail(request: SentRequest, failure: Failure): Outcome {
    if (request.outcome !== undefined) return request.outcome;
    const outcome = this.excuse(request, failure) ?? 'failed';
    this.end(request, outcome);
    const { phase } = this;
    const { what, seq, replica, client } = request;
    const detail = `${what} (request ${seq}, replica ${replica ?? 'unknown'}): ${failure.detail}`;
    this.note({ phase, client, kind: outcome, detail });
    return outcome;
  }

  /** Counts an answer that came, but was wrong. */
  fault(client: string, detail: string): void {
    this.count('failed');
    this.note({ phase: this.phase, client, kind: 'wrong', detail });
  }

  /** Counts what is wrong with a number that came, if anything is. */
  receipt(
    receipt: Exclude<Receipt, 'new'> | 'unordered',
    client: string,
    at: { phase: PhaseName; what: string },
  ): void {
    this.count(receipt, { phase: at.phase });
    this.note({ phase: at.phase, client, kind: receipt, detail: at.what });
  }

  /** Counts a number that has not come, and cannot come any more. */
  missing(kind: 'lost' | 'missed', client: string, at: { phase: PhaseName; what: string }): void {
    this.count(kind, { phase: at.phase });
    this.note({ phase: at.phase, client, kind, detail: at.what });
  }

  count(counter: Counter, { phase = this.phase, by = 1 }: { phase?: PhaseName; by?: number } = {}): void {
    this.of(phase)[counter] += by;
  }

  counts(phase: PhaseName): Counts {
    return { ...this.of(phase) };
  }

  /** Requests without an outcome. */
  get open(): readonly SentRequest[] {
    return [...this.unsettled.values()];
  }

  /** Hears of each request when it is settled. @returns the function that stops it */
  onSettled(listener: (request: SentRequest) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private end(request: SentRequest, outcome: Outcome): void {
    if (request.outcome !== undefined) return;
    request.outcome = outcome;
    this.unsettled.delete(request.seq);
    this.count(outcome);
    for (const listener of this.listeners) listener(request);
  }

  private note(incident: Omit<Incident, 'at'>): void {
    if (this.incidents.length < MAX_INCIDENTS) this.incidents.push({ at: new Date().toISOString(), ...incident });
  }

  private of(phase: PhaseName): Record<Counter, number> {
    let counts = this.phases.get(phase);
    if (!counts) {
      counts = Object.fromEntries(COUNTED.map((counter) => [counter, 0])) as Record<Counter, number>;
      this.phases.set(phase, counts);
    }
    return counts;
  }
}
