import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallListener, ClientAnswer, Mailbox } from '../../src/mcp/session/mailbox.port.js';
import { eventually } from '../support/eventually.js';

/** Two replicas over one backend (the same object twice where the adapter is process-local). */
export interface MailboxHarness {
  readonly mailbox: Mailbox;
  readonly peer: Mailbox;
  /** What the store does before a call listens, where the mailbox depends on it. */
  mark?(sessionId: string, requestId: string | number): Promise<unknown>;
  close(): void | Promise<void>;
}

/** A running call that keeps what it heard. */
class Call implements CallListener {
  readonly heard: string[] = [];

  cancelled(reason: string | undefined): void {
    this.heard.push(`cancelled: ${reason ?? 'no reason'}`);
  }

  ended(): void {
    this.heard.push('ended');
  }
}

const NEVER = new AbortController().signal;
const ANSWER: ClientAnswer = { result: { action: 'accept', content: { ok: true } } };

/** The behaviour of every adapter of the port. Calls may be told at once or later, so tests wait for it. */
export function describeMailbox(name: string, factory: () => Promise<MailboxHarness>): void {
  describe(`Mailbox: ${name}`, () => {
    let harness: MailboxHarness;
    let mailbox: Mailbox;
    let peer: Mailbox;

    beforeEach(async () => {
      harness = await factory();
      ({ mailbox, peer } = harness);
    });
    afterEach(() => harness.close());

    const listen = async (sessionId: string, requestId: string | number, listener: CallListener) => {
      await harness.mark?.(sessionId, requestId);
      return mailbox.listen(sessionId, requestId, listener);
    };

    const listening = async (sessionId: string, requestId: string | number): Promise<Call> => {
      const call = new Call();
      await listen(sessionId, requestId, call);
      return call;
    };

    /** `expect` registers on its way; an answer is refused until it has. */
    const answered = (sessionId: string, askId: string, answer: ClientAnswer): Promise<void> =>
      eventually(async () => expect(await peer.answer(sessionId, askId, answer)).toBe(true));

    /** Resolves once all that was asked before is registered: a question asked after it has been answered. */
    const registered = async (sessionId: string): Promise<void> => {
      const barrier = mailbox.expect(sessionId, 'barrier', NEVER);
      await answered(sessionId, 'barrier', ANSWER);
      await barrier;
    };

    describe('cancel', () => {
      it('reaches the call on any replica, with the reason', async () => {
        const call = await listening('s1', 1);
        await peer.cancel('s1', 1, 'changed my mind');
        await eventually(() => expect(call.heard).toEqual(['cancelled: changed my mind']));
      });

      it('needs no reason', async () => {
        const call = await listening('s1', 1);
        await peer.cancel('s1', 1, undefined);
        await eventually(() => expect(call.heard).toEqual(['cancelled: no reason']));
      });

      it('reaches no other call: neither "1" for 1, nor one of another session', async () => {
        const call = await listening('s1', 1);
        const others = [await listening('s1', '1'), await listening('s1', 2), await listening('s2', 1)];
        await peer.cancel('s1', 1, 'x');
        await eventually(() => expect(call.heard).toEqual(['cancelled: x']));
        expect(others.flatMap(({ heard }) => heard)).toEqual([]);
        await peer.cancel('s1', '1', 'y');
        await eventually(() => expect(others[0]!.heard).toEqual(['cancelled: y']));
        expect(call.heard).toEqual(['cancelled: x']);
      });

      it('ignores a request that is unknown', async () => {
        await expect(mailbox.cancel('s1', 1, 'x')).resolves.toBeUndefined();
      });

      it('does not reach a call that has stopped listening, and that may stop twice', async () => {
        const [gone, barrier] = [new Call(), await listening('s1', 2)];
        const stop = await listen('s1', 1, gone);
        stop();
        stop();
        await peer.cancel('s1', 1, 'x');
        await peer.cancel('s1', 2, 'x');
        await eventually(() => expect(barrier.heard).toEqual(['cancelled: x']));
        expect(gone.heard).toEqual([]);
      });

      it('survives a listener that throws', async () => {
        await listen('s1', 1, {
          cancelled: () => {
            throw new Error('listener failed');
          },
          ended: () => undefined,
        });
        const call = await listening('s1', 1);
        await mailbox.cancel('s1', 1, 'x');
        await eventually(() => expect(call.heard).toEqual(['cancelled: x']));
      });
    });

    describe('expect and answer', () => {
      it('brings a result, given to any replica, to the call that waits', async () => {
        const pending = mailbox.expect('s1', 'ask', NEVER);
        await answered('s1', 'ask', ANSWER);
        expect(await pending).toEqual({ result: { action: 'accept', content: { ok: true } } });
      });

      it('brings an error too', async () => {
        const pending = mailbox.expect('s1', 'ask', NEVER);
        await answered('s1', 'ask', { error: { code: -1, message: 'no', data: [1] } });
        expect(await pending).toEqual({ error: { code: -1, message: 'no', data: [1] } });
      });

      it('takes one answer only', async () => {
        const pending = mailbox.expect('s1', 'ask', NEVER);
        await answered('s1', 'ask', ANSWER);
        expect(await peer.answer('s1', 'ask', { result: { second: true } })).toBe(false);
        expect(await pending).toEqual(ANSWER);
      });

      it('takes one of two answers that come at once', async () => {
        const pending = mailbox.expect('s1', 'ask', NEVER);
        await registered('s1');
        const taken = await Promise.all([mailbox, peer].map((replica) => replica.answer('s1', 'ask', ANSWER)));
        expect(taken.sort()).toEqual([false, true]);
        expect(await pending).toEqual(ANSWER);
      });

      it('refuses an answer to an unknown question', async () => {
        expect(await mailbox.answer('s1', 'ask', ANSWER)).toBe(false);
      });

      it('refuses an answer from another session and goes on waiting', async () => {
        const pending = mailbox.expect('s1', 'ask', NEVER);
        expect(await peer.answer('s2', 'ask', { result: { forged: true } })).toBe(false);
        await answered('s1', 'ask', ANSWER);
        expect(await pending).toEqual(ANSWER);
      });

      it('rejects with the reason of the signal, and forgets the question', async () => {
        const abort = new AbortController();
        const reason = new Error('timed out');
        const pending = mailbox.expect('s1', 'ask', abort.signal);
        abort.abort(reason);
        await expect(pending).rejects.toBe(reason);
        await eventually(async () => expect(await peer.answer('s1', 'ask', ANSWER)).toBe(false));
      });

      it('rejects at once when the signal has aborted before', async () => {
        const reason = new Error('too late');
        await expect(mailbox.expect('s1', 'ask', AbortSignal.abort(reason))).rejects.toBe(reason);
        expect(await peer.answer('s1', 'ask', ANSWER)).toBe(false);
      });

      it('is not disturbed by an abort after the answer', async () => {
        const abort = new AbortController();
        const pending = mailbox.expect('s1', 'ask', abort.signal);
        await answered('s1', 'ask', ANSWER);
        await pending;
        abort.abort();
        expect(await pending).toEqual(ANSWER);
      });
    });

    describe('end', () => {
      it('tells every call of the session, on every replica, and of no other', async () => {
        const calls = [await listening('s1', 1), await listening('s1', 2)];
        const other = await listening('s2', 1);
        await peer.end('s1');
        await eventually(() => expect(calls.map(({ heard }) => heard)).toEqual([['ended'], ['ended']]));
        expect(other.heard).toEqual([]);
      });

      it('rejects the questions that wait, and takes no answer to them', async () => {
        const pending = mailbox.expect('s1', 'ask', NEVER);
        const rejection = expect(pending).rejects.toMatchObject({ name: 'McpError', reason: 'SESSION_NOT_FOUND' });
        await registered('s1');
        await peer.end('s1');
        await rejection;
        expect(await peer.answer('s1', 'ask', ANSWER)).toBe(false);
      });

      it('tells a call once, and nothing of what comes after', async () => {
        const call = await listening('s1', 1);
        await peer.end('s1');
        await eventually(() => expect(call.heard).toEqual(['ended']));
        const barrier = await listening('s1', 2);
        await peer.cancel('s1', 1, 'x');
        await peer.end('s1');
        await eventually(() => expect(barrier.heard).toEqual(['ended']));
        expect(call.heard).toEqual(['ended']);
      });

      it('survives a listener that throws, and one that stops listening', async () => {
        await listen('s1', 1, {
          cancelled: () => undefined,
          ended: () => {
            throw new Error('listener failed');
          },
        });
        const stop = await listen('s1', 2, { cancelled: () => undefined, ended: () => stop() });
        const call = await listening('s1', 3);
        await mailbox.end('s1');
        await eventually(() => expect(call.heard).toEqual(['ended']));
      });

      it('is harmless for a session in which nothing runs', async () => {
        await expect(mailbox.end('s9')).resolves.toBeUndefined();
      });
    });
  });
}
