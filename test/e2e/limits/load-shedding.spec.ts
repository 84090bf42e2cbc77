import { Injectable } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { McpHealthModule, McpModule, McpTool } from '../../../src/index.js';
import { type McpTestApp, createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { responseOf } from '../../support/wire.js';
import { Caller } from './caller.js';

@Injectable()
class Tools {
  ran = 0;

  @McpTool()
  work(): string {
    this.ran += 1;
    return 'done';
  }
}

/** Far above what a busy machine is late by. */
const LIMIT_MS = 100;
const BLOCK_MS = 250;

let app: McpTestApp;
let stopBlocking: () => void = () => undefined;
let callers: Record<'stateless' | 'session', Caller>;

beforeEach(async () => {
  class ToolsModule {}
  const options = { http: { maxEventLoopDelayMs: LIMIT_MS } };
  const modules = [McpModule.forRoot(options), McpHealthModule, { module: ToolsModule, providers: [Tools] }];
  app = await createMcpTestApp(modules, { logger: false });
  callers = {
    stateless: await Caller.open(app.url, { era: 'stateless', principal: {} }),
    session: await Caller.open(app.url, { era: 'session', principal: {} }),
  };
});
afterEach(async () => {
  stopBlocking();
  await app.close();
});

/** Blocks the event loop again and again. */
function block(): void {
  let blocking = true;
  const once = (): void => {
    const end = performance.now() + BLOCK_MS;
    while (performance.now() < end);
    if (blocking) setImmediate(once);
  };
  setImmediate(once);
  stopBlocking = () => (blocking = false);
}
const probe = async (path: string): Promise<number> => (await fetch(new URL(path, app.url))).status;
const statusOf = async (caller: Caller): Promise<number> => (await caller.call('work')).status;

describe('an event loop that is late', () => {
  it('has calls of both eras refused with 503, probes answered, and all served again later', async () => {
    expect([await statusOf(callers.stateless), await statusOf(callers.session)]).toEqual([200, 200]);
    block();
    await eventually(async () => expect(await statusOf(callers.stateless)).toBe(503));
    const { ran } = app.get(Tools);

    const answers = await Promise.all([callers.stateless.call('work'), callers.session.call('work')]);
    for (const refused of answers) {
      expect(refused.status).toBe(503);
      expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
      expect(await responseOf(refused)).toEqual({
        jsonrpc: '2.0',
        error: { code: 503, message: 'The server is busy. Try again after the time in Retry-After.' },
      });
    }
    expect(await Promise.all([probe('/health/live'), probe('/health/ready')])).toEqual([200, 200]);
    expect((await callers.session.send('GET')).status).toBe(503);
    expect(app.get(Tools).ran).toBe(ran);

    stopBlocking();
    await eventually(async () => expect(await statusOf(callers.stateless)).toBe(200));
    expect(await statusOf(callers.session)).toBe(200);
  });

  it('does not keep sessions from being ended', async () => {
    block();
    await eventually(async () => expect(await statusOf(callers.stateless)).toBe(503));

    expect((await callers.session.send('DELETE')).status).toBe(204);
  });
});
