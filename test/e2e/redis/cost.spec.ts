import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { McpCall, McpRegistry, McpResource, McpTool } from '../../../src/index.js';
import { eventually } from '../../support/eventually.js';
import { RedisMonitor } from '../../support/redis/redis-monitor.js';
import { WireSession, sseMessages } from '../../support/wire.js';
import { EventStream, SessionApp } from '../session/session-app.js';

const url = inject('redisUrl') ?? '';

@Injectable()
class Tools {
  @McpTool()
  plain(): string {
    return 'done';
  }

  @McpTool()
  async steps(call: McpCall): Promise<string> {
    for (let step = 1; step <= 3; step += 1) call.progress(step, 3);
    return 'done';
  }

  @McpResource('notes://{id}')
  note(): string {
    return 'text';
  }
}

describe.skipIf(url === '')('what a session costs in commands', () => {
  let app: SessionApp;
  let monitor: RedisMonitor;
  const keyPrefix = `test:cost:${Math.random().toString(36).slice(2)}:`;

  beforeEach(async () => {
    app = await SessionApp.boot([Tools], { redis: { url, keyPrefix } });
    monitor = await RedisMonitor.start(url);
  });
  afterEach(async () => {
    monitor[Symbol.dispose]();
    await app[Symbol.asyncDispose]();
  });

  /** Commands that name something, less those of a sweep: it looks at running calls with HMGET, and comes when it comes. */
  const commands = (name: string): string[] =>
    monitor.sentByClients
      .map(({ args }) => args.join(' '))
      .filter((command) => command.includes(name) && !command.startsWith('hmget '));

  /** Commands on keys of the session since the number of them was last asked for. */
  const counter = (session: WireSession): (() => number) => {
    let counted = 0;
    return () => {
      const total = commands(session.id).length;
      const fresh = total - counted;
      counted = total;
      return fresh;
    };
  };
  /** Until nothing more of the session is under way: MONITOR is behind the answers. */
  const settled = async (session: WireSession): Promise<void> => {
    const marks = (): number => commands(session.id).filter((line) => line.startsWith('hdel ')).length;
    const before = marks();
    await (await session.request('ping')).text();
    await eventually(() => expect(marks()).toBeGreaterThan(before));
  };

  it('two for a call that is answered in JSON: one before and one after it', async () => {
    const session = await WireSession.open(app.url);
    await settled(session);
    const count = counter(session);
    count();

    for (let call = 0; call < 10; call += 1) {
      const response = await session.request('tools/call', { name: 'plain', arguments: {} });
      expect(response.headers.get('content-type')).toContain('application/json');
      await response.text();
    }
    await eventually(() => expect(commands(session.id).at(-1)).toMatch(/^hdel /));

    expect(count()).toBe(20);
  });

  it('no stream for an answer in JSON, and one for an answer that streams', async () => {
    const session = await WireSession.open(app.url);
    await (await session.request('tools/call', { name: 'plain', arguments: {} })).text();
    expect(commands(session.id).filter((line) => line.includes(':stream:'))).toEqual([]);

    const params = { name: 'steps', arguments: {}, _meta: { progressToken: 1 } };
    await sseMessages(await session.request('tools/call', params, 'streamed'));
    const streams = commands(session.id).flatMap((line) => /:stream:(\S+)/.exec(line)?.[1] ?? []);
    expect(new Set(streams).size).toBe(1);
  });

  it('one for a change, however many hear of it', async () => {
    const sessions = await Promise.all([1, 2, 3, 4].map(() => WireSession.open(app.url)));
    const streams = await Promise.all(
      sessions.map(async (session) => {
        await (await session.request('resources/subscribe', { uri: 'notes://1' })).text();
        const stream = await EventStream.listen(session);
        await stream.next();
        return stream;
      }),
    );
    await app.get(McpRegistry).resourceUpdated('notes://1');
    for (const stream of streams) expect(await stream.message()).toMatchObject({ params: { uri: 'notes://1' } });

    const published = commands(`${keyPrefix}{changes}:log`).filter((line) => line.includes('notes://1'));
    expect(published).toHaveLength(1);
    for (const stream of streams) stream.cut();
  });
});
