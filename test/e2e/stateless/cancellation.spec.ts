import { Injectable, Module } from '@nestjs/common';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ANONYMOUS, Authenticator, McpCall, McpTool } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { ENVELOPE, post, sseEvents, sseMessages, statelessHeaders } from '../../support/wire.js';
import { type Gate, callTool, gate, textOf } from './requests.js';

const workInput = z.object({ streamed: z.boolean() });
let started: Gate;
let released: Gate;
let aborted: Gate;
let ended: Gate;
let reason: Error | undefined;
let runs = 0;

@Injectable()
class Fixtures {
  @McpTool({ input: workInput })
  async work({ streamed }: z.infer<typeof workInput>, call: McpCall) {
    runs += 1;
    if (streamed) call.progress(1);
    try {
      await new Promise((resolve, reject) => {
        void released.opened.then(resolve);
        call.signal.addEventListener('abort', () => reject(call.signal.reason));
        started.open();
      });
      return 'Done.';
    } catch (error) {
      reason = error as Error;
      throw error;
    } finally {
      ended.open();
    }
  }

  @McpTool()
  async stubborn(call: McpCall) {
    call.signal.addEventListener('abort', aborted.open);
    call.progress(1);
    started.open();
    await released.opened;
    call.progress(2);
    call.log('error', 'Nobody hears this.');
    ended.open();
    return 'Nobody reads this.';
  }

  @McpTool()
  echo() {
    return 'Done.';
  }

  @McpTool({ timeoutMs: 20 })
  async hang(call: McpCall) {
    call.progress(1);
    await released.opened;
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

const meta = { progressToken: 'p', 'io.modelcontextprotocol/logLevel': 'debug' };

describe('cancellation by closing the response', () => {
  const errors: unknown[][] = [];
  const logger = { log: () => undefined, warn: () => undefined, error: (...said: unknown[]) => void errors.push(said) };

  beforeEach(() => {
    errors.length = 0;
    reason = undefined;
    runs = 0;
    [started, released, aborted, ended] = [gate(), gate(), gate(), gate()];
  });

  it.each([
    ['before the answer has begun', false],
    ['while it streams', true],
  ])('aborts the signal of the call, and its finally runs: %s', async (_when, streamed) => {
    await using app = await createMcpTestApp(FixtureModule, { logger });
    const client = new AbortController();
    const response = callTool(app.url, 'work', { streamed }, { meta, signal: client.signal }).catch(() => undefined);
    await (streamed ? response : started.opened);

    client.abort();
    await ended.opened;

    expect(await textOf(await callTool(app.url, 'echo'))).toBe('Done.');
    expect(reason).toMatchObject({
      name: 'CallCancelled',
      message: 'The client cancelled the call: the connection was closed',
    });
    expect(errors).toEqual([]);
  });

  it('reaches a call whose client left while its credentials were checked', async () => {
    const [asked, answered, left] = [gate(), gate(), gate()];
    const authenticator: Authenticator = {
      anonymousMayUse: 'all',
      authenticate: async () => {
        asked.open();
        await answered.opened;
        return ANONYMOUS;
      },
    };
    await using app = await createMcpTestApp(FixtureModule, {
      logger,
      override: [[Authenticator, authenticator]],
      configure: (nest) =>
        void nest
          .getHttpAdapter()
          .getInstance()
          .addHook('onRequest', async (_request, reply) => void reply.raw.once('close', left.open)),
    });
    const client = new AbortController();
    const gone = callTool(app.url, 'work', { streamed: false }, { signal: client.signal }).catch(() => undefined);
    await asked.opened;

    client.abort();
    await Promise.all([gone, left.opened]);
    answered.open();

    expect(await textOf(await callTool(app.url, 'echo'))).toBe('Done.');
    expect(runs).toBe(0);
    expect(errors).toEqual([]);
    released.open();
  });

  it('does no harm to a handler that goes on, of which nothing more is sent', async () => {
    await using app = await createMcpTestApp(FixtureModule, { logger });
    const client = new AbortController();
    const events = sseEvents(await callTool(app.url, 'stubborn', {}, { meta, signal: client.signal }));
    await events.next();

    client.abort();
    await expect(events.next()).rejects.toThrow(/abort/i);
    await aborted.opened;
    released.open();
    await ended.opened;

    expect(await textOf(await callTool(app.url, 'echo'))).toBe('Done.');
    expect(errors).toEqual([]);
  });

  it('leaves a call alone that other connections run under the same id', async () => {
    await using app = await createMcpTestApp(FixtureModule, { logger });
    const client = new AbortController();
    const cancelled = await callTool(app.url, 'stubborn', {}, { id: 5, meta, signal: client.signal });
    started = gate();
    const kept = callTool(app.url, 'work', { streamed: false }, { id: 5 });
    await started.opened;

    client.abort();
    await expect(cancelled.text()).rejects.toThrow(/abort/i);
    await aborted.opened;
    released.open();

    expect(await textOf(await kept)).toBe('Done.');
    expect(reason).toBeUndefined();
  });

  it('does no harm when it crosses with the response', async () => {
    await using app = await createMcpTestApp(FixtureModule, { logger });
    const crossing = Array.from({ length: 50 }, async (_none, turn) => {
      const client = new AbortController();
      const response = callTool(app.url, 'echo', {}, { id: turn, signal: client.signal });
      for (let waited = 0; waited < turn; waited++) await new Promise(setImmediate);
      client.abort();
      await response.catch(() => undefined);
    });

    await Promise.all(crossing);

    expect(await textOf(await callTool(app.url, 'echo'))).toBe('Done.');
    expect(errors).toEqual([]);
  });

  it.each([{ requestId: 'unknown' }, { requestId: 1 }, { requestId: { malformed: true } }, {}])(
    'is the only way: notifications/cancelled with %j is accepted and ignored',
    async (params) => {
      await using app = await createMcpTestApp(FixtureModule, { logger });
      const running = callTool(app.url, 'work', { streamed: false }, { id: 1 });
      await started.opened;
      const body = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { ...params, _meta: ENVELOPE } };

      const response = await post(app.url, JSON.stringify(body), statelessHeaders('notifications/cancelled'));
      released.open();

      expect({ status: response.status, text: await response.text() }).toEqual({ status: 202, text: '' });
      expect(await textOf(await running)).toBe('Done.');
    },
  );

  it('is never what the server sends: a call that times out is told in its result', async () => {
    await using app = await createMcpTestApp(FixtureModule, { logger });

    const messages = await sseMessages(await callTool(app.url, 'hang', {}, { meta }));
    released.open();

    expect(messages.map(({ method }) => method)).toEqual(['notifications/progress', undefined]);
    expect(messages.at(-1)).toMatchObject({
      result: {
        isError: true,
        content: [{ text: 'This took longer than 20 ms and was stopped. Try a smaller request.' }],
      },
    });
  });
});
