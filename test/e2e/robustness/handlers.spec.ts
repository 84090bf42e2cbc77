import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { McpCall, McpPrompt, McpResource, McpTool } from '../../../src/index.js';
import { type Json, WireSession, responseOf, statelessRequest } from '../../support/wire.js';
import { deferred } from '../clients/fixtures.js';
import { type Served, serve } from '../clients/served.js';
import { expectNoTrace, expectServing } from './raw.js';

const SECRET = 'postgres://root:hunter2@db.internal/prod';

class Unprintable extends Error {
  override get message(): string {
    throw new Error(SECRET);
  }
}

/** Every way to break a promise, or never to keep it. */
@Injectable()
class BrokenTools {
  readonly stopped = deferred();
  readonly returned = deferred();

  @McpTool()
  throwsError(): never {
    throw new Error(SECRET);
  }

  @McpTool()
  async rejects(): Promise<never> {
    throw new TypeError(SECRET, { cause: new Error(SECRET) });
  }

  @McpTool()
  throwsUndefined(): never {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the very thing to survive
    throw undefined;
  }

  @McpTool()
  throwsString(): never {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the very thing to survive
    throw SECRET;
  }

  @McpTool()
  throwsNothingPrintable(): never {
    throw Object.create(null);
  }

  @McpTool()
  throwsUnprintable(): never {
    throw new Unprintable();
  }

  @McpTool()
  throwsLookalike(): never {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the very thing to survive
    throw {
      name: 'McpError',
      code: -32602,
      status: 200,
      message: SECRET,
      toWire: () => ({ code: 1, message: SECRET }),
    };
  }

  @McpTool()
  circular(): object {
    const self: Json = { secret: SECRET };
    self['self'] = self;
    return self;
  }

  @McpTool()
  bigInt(): object {
    return { count: 10n };
  }

  @McpTool()
  getter(): object {
    return {
      get value(): string {
        throw new Error(SECRET);
      },
    };
  }

  @McpTool()
  toJson(): object {
    return {
      toJSON: () => {
        throw new Error(SECRET);
      },
    };
  }

  @McpTool()
  thenable(): object {
    return { then: (_resolve: unknown, reject: (reason: unknown) => void) => reject(new Error(SECRET)) };
  }

  @McpTool()
  logsCircular(call: McpCall): string {
    const self: Json = {};
    self['self'] = self;
    call.log('error', self);
    return 'never said';
  }

  @McpTool()
  async *iteratorThrows(): AsyncGenerator<string> {
    yield 'something';
    throw new Error(SECRET);
  }

  @McpTool()
  huge(): string {
    return 'x'.repeat(100_000);
  }

  @McpTool()
  async *hugePieceByPiece(): AsyncGenerator<string> {
    try {
      for (;;) yield 'x'.repeat(1_000);
    } finally {
      this.returned.resolve();
    }
  }

  @McpTool()
  async *silentWithoutEnd(call: McpCall): AsyncGenerator<string> {
    try {
      for (;;) yield '';
    } finally {
      if (call.signal.aborted) this.returned.resolve();
    }
  }

  @McpTool()
  async *politeWithoutEnd(): AsyncGenerator<string> {
    try {
      for (;;) {
        await setImmediate();
        yield '';
      }
    } finally {
      this.returned.resolve();
    }
  }

  @McpTool()
  never(call: McpCall): Promise<never> {
    call.signal.addEventListener('abort', () => this.stopped.resolve());
    return new Promise(() => undefined);
  }

  @McpResource('broken://throws')
  resource(): never {
    throw new Error(SECRET);
  }

  @McpResource('broken://circular')
  circularResource(): object {
    return this.circular();
  }

  @McpPrompt()
  throwingPrompt(): never {
    throw new Error(SECRET);
  }

  @McpPrompt()
  oddPrompt(): string {
    return 7 as unknown as string;
  }
}

interface Caller {
  request(method: string, params: Json): Promise<Response>;
}

const ERAS = [
  {
    era: 'stateless',
    open: async (url: string): Promise<Caller> => ({ request: (...of) => statelessRequest(url, ...of) }),
  },
  { era: 'session', open: (url: string): Promise<Caller> => WireSession.open(url) },
];

describe.each(ERAS)('a handler that misbehaves, in the $era era', ({ open }) => {
  let served: Served;
  let caller: Caller;

  beforeAll(async () => {
    served = await serve([BrokenTools], { callTimeoutMs: 300, maxResultBytes: 50_000 });
    caller = await open(served.url);
  });
  afterEach(() => expectServing(served.url));
  afterAll(() => served[Symbol.asyncDispose]());

  const call = async (name: string): Promise<string> => {
    const response = await caller.request('tools/call', { name });
    return JSON.stringify(await responseOf(response));
  };

  it.each([
    'throwsError',
    'rejects',
    'throwsUndefined',
    'throwsString',
    'throwsNothingPrintable',
    'throwsUnprintable',
    'throwsLookalike',
    'circular',
    'bigInt',
    'getter',
    'toJson',
    'thenable',
    'iteratorThrows',
  ])('%s: the caller learns that it failed, and nothing else', async (name) => {
    const logged = served.errors.length;

    const response = await caller.request('tools/call', { name });
    const text = await response.text();

    expect(response.status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      id: 1,
      error: { code: -32603, message: expect.stringMatching(/^Internal error\. Reference: [0-9a-f-]{36}$/) },
    });
    expect(text).not.toMatch(/hunter2|postgres|BigInt|circular/i);
    expectNoTrace(text);
    expect(served.errors.length).toBe(logged + 1);
  });

  it('says under which id the log has the cause', async () => {
    const { error } = JSON.parse(await call('throwsError')) as { error: { data: { errorId: string } } };

    const logged = JSON.stringify(served.errors.at(-1));
    expect(logged).toContain(error.data.errorId);
    expect(logged).toContain('hunter2');
  });

  it.each([
    ['resources/read', { uri: 'broken://throws' }],
    ['resources/read', { uri: 'broken://circular' }],
    ['prompts/get', { name: 'throwingPrompt' }],
    ['prompts/get', { name: 'oddPrompt' }],
  ])('%s of %o is masked too', async (method, params) => {
    const text = await (await caller.request(method, params)).text();

    expect(JSON.parse(text)).toMatchObject({ error: { code: -32603 } });
    expect(text).not.toMatch(/hunter2|BrokenTools/);
    expectNoTrace(text);
  });

  it('huge: the model is told to ask for less', async () => {
    expect(await call('huge')).toMatch(/"text":"The result is too large .*"isError":true/);
  });

  it('hugePieceByPiece: is stopped when it passes the limit, not when memory ends', async () => {
    const text = await call('hugePieceByPiece');

    expect(text).toMatch(/"text":"The result is too large .*"isError":true/);
    await served.app.get(BrokenTools).returned.promise;
  });

  it.each(['never', 'politeWithoutEnd', 'silentWithoutEnd'])('%s: is stopped in time', async (name) => {
    expect(await call(name)).toMatch(/"text":"This took longer than 300 ms .*"isError":true/);
  });

  it('hears that it was stopped', async () => {
    await served.app.get(BrokenTools).stopped.promise;
    await served.app.get(BrokenTools).returned.promise;
  });
});
