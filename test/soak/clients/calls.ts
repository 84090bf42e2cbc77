import type { Json } from '../../support/wire.js';
import type { Excuses } from '../excuses.js';
import type { Ledger, SentRequest } from '../ledger.js';
import type { Sabotage } from '../sabotage.js';
import { Sequence, numbers } from '../sequence.js';
import { RequestFailed } from './exchange.js';

/** How far a numbered stream counts, and how fast. */
export const STREAM = { to: 20, everyMs: 50 } as const;

/** The answer is not what it must be. */
export class WrongAnswer extends Error {}

/** The call ended with an error for which there is an excuse. It has been counted. */
class Excused extends Error {}

const ORPHANED = 'The server that ran this request was lost';
const REDIS_AWAY = 'Sessions cannot be reached';

/** Whose calls they are, and where they count. */
export interface CallParts {
  readonly client: string;
  readonly ledger: Ledger;
  readonly excuses: Excuses;
  readonly sabotage: Sabotage;
}

/** The calls of one client: what they must come to, whichever wire carries them. */
export class Calls {
  private lastNumber = 0;

  constructor(readonly parts: CallParts) {}

  /** Text that no other call has. */
  unique(): string {
    return `${this.parts.client}#${(this.lastNumber += 1)}`;
  }

  /** Counts a call, or why there is no result. Never rejects for what a server does. */
  async account(what: string, call: () => Promise<void>): Promise<void> {
    const { ledger, client } = this.parts;
    try {
      await call();
      ledger.count('calls');
    } catch (error) {
      // These two have been counted.
      if (error instanceof RequestFailed || error instanceof Excused) return;
      if (!(error instanceof WrongAnswer)) throw error;
      ledger.fault(client, `${what}: ${error.message}`);
    }
  }

  /**
   * Checks a response.
   * @param ranAs the request that the call was sent with
   * @throws WrongAnswer
   */
  expect(response: Json, text: string, ranAs: SentRequest): void {
    const { result, error } = response as { result?: Json; error?: { code: number; message: string } };
    if (error) throw this.excused(error, ranAs) ?? new WrongAnswer(`error ${error.code} ${error.message}`);
    const [content] = (result?.['content'] ?? []) as { text?: string }[];
    const expected = this.parts.sabotage.expected(text);
    if (content?.text !== expected) throw new WrongAnswer(`not ${expected}, but ${JSON.stringify(response)}`);
  }

  /** What the events of one numbered stream come to. */
  numbered(): NumberedEvents {
    return new NumberedEvents(this.parts);
  }

  private excused({ message }: { message: string }, ranAs: SentRequest): Excused | undefined {
    const { ledger, excuses } = this.parts;
    if (message.startsWith(ORPHANED) && excuses.wasWithVictim(ranAs)) {
      ledger.count('orphaned');
      excuses.noteTerminalError();
      return new Excused(message);
    }
    // As 503, but said in an answer that had begun.
    if (message.startsWith(REDIS_AWAY) && excuses.redisAway()) {
      ledger.count('refused');
      return new Excused(message);
    }
    return undefined;
  }
}

/** The progress of one call: every number from 1 on, once and in order. */
export class NumberedEvents {
  private readonly sequence = new Sequence();

  constructor(private readonly parts: CallParts) {}

  receive(progress: unknown): void {
    const { ledger, sabotage } = this.parts;
    for (const n of sabotage.events(Number(progress))) {
      const receipt = this.sequence.receive(n);
      if (receipt !== 'doubled') ledger.count('progress');
      if (receipt !== 'new') ledger.receipt(receipt, this.parts.client, this.event(n));
    }
  }

  /** @param whole whether the result came, and so all of them must have; else they may only stop short */
  close(whole: boolean): void {
    const missing = whole ? this.sequence.missing(numbers(STREAM.to)) : this.sequence.gaps;
    for (const n of missing) this.parts.ledger.missing('lost', this.parts.client, this.event(n));
  }

  private event(n: number) {
    return { phase: this.parts.ledger.phase, what: `event ${n} of a call` };
  }
}
