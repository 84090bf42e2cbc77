import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../../support/wire.js';
import type { Ledger } from '../ledger.js';
import { WrongAnswer } from './calls.js';
import { type Exchange, RequestFailed } from './exchange.js';
import { persistently } from './meter.js';
import type { SessionWire } from './session-wire.js';
import { chance } from './soak-client.js';

/** Milliseconds in which a call must have its response, whatever happens. */
const CALL_MS = 60_000;
/** What a client waits that the server has told nothing. */
const RETRY_MS = 1_000;

export interface FollowOptions {
  readonly wire: SessionWire;
  readonly ledger: Ledger;
  /** After so many messages the client cuts its connection, each time there are so many. */
  readonly cutAfter?: readonly number[];
}

/**
 * The messages of a call, up to its response: over as many connections as it takes. A connection that ends or breaks
 * before is resumed with the last event id, wherever the balancer sends that.
 *
 * @throws RequestFailed when the call broke off and there is nothing to resume
 * @throws WrongAnswer when no response comes, or something after it
 */
export async function* followCall(first: Exchange, options: FollowOptions): AsyncGenerator<Json> {
  const { wire, ledger, cutAfter = [] } = options;
  if (!first.isStream) return yield await first.answer();
  const place = new Place();
  let exchange = first;
  let messages = 0;
  let answered = false;
  let late = false as boolean;
  const timer = setTimeout(() => {
    late = true;
    exchange.cut();
  }, CALL_MS);
  try {
    for (;;) {
      let waitMs = place.retryMs;
      try {
        for await (const event of exchange.events()) {
          place.note(event);
          if (event.data === '') continue;
          if (answered) throw new WrongAnswer(`something came after the response: ${event.data}`);
          const message = JSON.parse(event.data) as Json;
          answered = 'result' in message || 'error' in message;
          messages += 1;
          yield message;
          if (answered || !cutAfter.includes(messages)) continue;
          exchange.cut();
          // As often while it still runs as when it is over.
          waitMs = chance(0.5) ? Math.random() * 200 : place.retryMs;
          break;
        }
      } catch (error) {
        // It has been counted; whether it harms the call is seen when it is resumed.
        if (!(error instanceof RequestFailed) || place.lastEventId === undefined) throw error;
      }
      if (answered) return;
      if (late) throw new WrongAnswer(`no response within ${CALL_MS} ms`);
      if (place.lastEventId === undefined) throw new WrongAnswer('the stream ended before its response, without ids');
      await delay(waitMs);
      exchange = await persistently(() => wire.get('resume', place.lastEventId));
      ledger.count('resumed');
    }
  } finally {
    clearTimeout(timer);
  }
}

/** How far a client has come on a stream, and when it may come back. */
export class Place {
  lastEventId: string | undefined;
  retryMs = RETRY_MS;

  note({ id, retry }: { readonly id?: string; readonly retry?: number }): void {
    if (id !== undefined) this.lastEventId = id;
    if (retry !== undefined) this.retryMs = retry;
  }
}
