import type { Excuses } from './excuses.js';
import type { Ledger, PhaseName } from './ledger.js';
import { Sequence } from './sequence.js';

/** How many resources there are. A change of one is told apart from the next one of the same by time alone. */
const TOPICS = 100;
const URI = /^counter:\/\/(\d+)$/;

/** A numbered change. Number n is a change of resource `counter://<n mod 100>`. */
export interface Publication {
  readonly n: number;
  readonly phase: PhaseName;
  /** Epoch milliseconds at which the call was sent that makes it. */
  readonly beganAt: number;
  /** When that call was answered. */
  endedAt: number | undefined;
  /** Process id of the replica that made it. */
  replica: number | undefined;
  /** Uncertain: the call failed, and may have published or not. */
  state: 'under way' | 'told' | 'uncertain';
}

/** Everything that is published, in order, one at a time. */
export class Publications {
  private readonly all: Publication[] = [];

  /** What a client subscribes to. */
  readonly uris: readonly string[] = Array.from({ length: TOPICS }, (_, topic) => `counter://${topic}`);

  begin(phase: PhaseName): Publication {
    const n = this.all.length;
    const beganAt = Date.now();
    const publication: Publication = { n, phase, beganAt, endedAt: undefined, replica: undefined, state: 'under way' };
    this.all.push(publication);
    return publication;
  }

  uriOf({ n }: Publication): string {
    return this.uris[n % TOPICS] ?? '';
  }

  /** The latest change of a resource: a change comes long before the next one of the same resource is made. */
  latest(uri: string): Publication | undefined {
    const topic = Number(URI.exec(uri)?.[1] ?? NaN);
    const turn = Math.floor((this.all.length - 1 - topic) / TOPICS);
    return this.all[topic + turn * TOPICS];
  }

  /** Those of a phase that every subscriber must get. */
  told(phase: PhaseName): readonly Publication[] {
    return this.all.filter((publication) => publication.phase === phase && publication.state === 'told');
  }
}

/** A time in which a stateless client had no open subscription, in epoch milliseconds. */
interface Absence {
  readonly from: number;
  to?: number;
}

/**
 * A replica hears of a change a moment after the one that published it has answered; in between its listeners may be
 * told that their subscription is over. Milliseconds.
 */
const ON_ITS_WAY_MS = 500;

/** What one client has been told. */
export class Subscriber {
  private readonly sequence = new Sequence();
  private readonly absences: Absence[] = [];
  private newest: Publication | undefined;

  constructor(
    readonly client: string,
    private readonly publications: Publications,
    private readonly ledger: Ledger,
    private readonly excuses: Excuses,
  ) {}

  /** Takes a change that the client was told of. */
  receive(uri: string): void {
    const publication = this.publications.latest(uri);
    if (!publication) return this.ledger.fault(this.client, `told of ${uri}, which never changed`);
    const { n, phase, beganAt, endedAt = Date.now() } = publication;
    const receipt = this.sequence.receive(n);
    if (receipt !== 'doubled') this.ledger.count('notifications', { phase });
    if (receipt === 'new') this.newest = publication;
    else {
      const waited = receipt === 'reordered' && this.excuses.mayHaveWaited(beganAt, endedAt);
      const what = `${inWords(publication)} came after ${inWords(this.newest ?? publication)}`;
      this.ledger.receipt(waited ? 'unordered' : receipt, this.client, { phase, what });
    }
  }

  /** The client has no subscription from now on, until {@link returns}. */
  leaves(): void {
    this.absences.push({ from: Date.now() });
  }

  returns(): void {
    const absence = this.absences.at(-1);
    if (absence) absence.to = Date.now();
  }

  /** Whether everything of a phase has come that must. */
  hasAll(phase: PhaseName): boolean {
    return this.outstanding(phase).every((publication) => this.absenceAt(publication));
  }

  /** Counts what has not come of a phase, for good. */
  close(phase: PhaseName): void {
    for (const publication of this.outstanding(phase)) {
      const absence = this.absenceAt(publication);
      const what = `${inWords(publication)}${absence ? `, ${relativeTo(absence, publication)}` : ''}`;
      this.ledger.missing(absence ? 'missed' : 'lost', this.client, { phase, what });
    }
  }

  private outstanding(phase: PhaseName): Publication[] {
    return this.publications.told(phase).filter(({ n }) => !this.sequence.has(n));
  }

  private absenceAt({ beganAt, endedAt = beganAt }: Publication): Absence | undefined {
    return this.absences.find(({ from, to = Infinity }) => endedAt >= from - ON_ITS_WAY_MS && beganAt <= to);
  }
}

function relativeTo({ from, to = Infinity }: Absence, { beganAt, endedAt = beganAt }: Publication): string {
  return `published from ${beganAt - from} to ${endedAt - from} ms in an absence of ${to - from} ms`;
}

function inWords({ n, replica }: Publication): string {
  return `change ${n} of replica ${replica ?? 'unknown'}`;
}
