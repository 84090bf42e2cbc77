import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ObservedCapability, OperationEnd, OperationWatch, ServerObserver } from './server-observer.port.js';
import { Telemetry } from './telemetry.js';

const END: OperationEnd = { decision: 'allow', rule: 'public', durationMs: 1 };
const TOOL: ObservedCapability = { kind: 'tool', key: 'greet' };
const logged = vi.spyOn(Logger.prototype, 'error');

beforeEach(() => void logged.mockImplementation(() => undefined));
afterEach(() => void logged.mockReset());

const flush = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const fail = (): never => {
  throw new Error('a defect of an observer');
};

/** Notes all that it hears and runs, under a name. */
function noting(name: string, notes: string[]): ServerObserver {
  return {
    operation: ({ method }) => {
      notes.push(`${name} begins ${method}`);
      return {
        run: (work) => {
          notes.push(`${name} runs`);
          return work();
        },
        ended: () => void notes.push(`${name} ended`),
      };
    },
    handler: (capability, work) => {
      notes.push(`${name} handles ${capability.key}`);
      return work();
    },
    sessionStarted: () => void notes.push(`${name} session`),
  };
}

describe('observers', () => {
  it('hear until they are taken away', () => {
    const [telemetry, sessionStarted] = [new Telemetry(), vi.fn()];
    const remove = telemetry.add({ sessionStarted });

    telemetry.sessionStarted();
    remove();
    telemetry.sessionStarted();

    expect(sessionStarted).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['that cannot be looked at', new Proxy(new Error('x'), { get: fail })],
    ['that looks like a promise', { then: fail }],
  ])('of a handler that throws something %s do no harm', async (_what, thrown) => {
    const telemetry = new Telemetry();
    telemetry.add({ handler: async (_capability, work) => work() });
    let caught: unknown;

    await telemetry
      .handler(TOOL, async () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what is thrown is the point
        throw thrown;
      })
      .then(undefined, (error: unknown) => {
        caught = { error };
      });
    await flush();

    expect(caught).toSatisfy((held: { error: unknown }) => held.error === thrown);
  });

  it('that are added later hear from then on', () => {
    const [telemetry, streamLost] = [new Telemetry(), vi.fn()];
    telemetry.streamLost('gap');
    telemetry.add({ streamLost });

    telemetry.streamLost('failed');

    expect(streamLost.mock.calls).toEqual([['failed']]);
  });

  it('are told in the order in which they came; the last one is the outermost that runs', () => {
    const [telemetry, notes] = [new Telemetry(), [] as string[]];
    telemetry.add(noting('a', notes));
    telemetry.add(noting('b', notes));

    const watch = telemetry.operation({ method: 'tools/call' });
    watch?.run?.(() => void notes.push('work'));
    watch?.ended(END);
    telemetry.sessionStarted();

    expect(notes).toEqual([
      'a begins tools/call',
      'b begins tools/call',
      'b runs',
      'a runs',
      'work',
      'a ended',
      'b ended',
      'a session',
      'b session',
    ]);
  });

  it('all watch a handler, whose value comes through', async () => {
    const [telemetry, notes] = [new Telemetry(), [] as string[]];
    telemetry.add(noting('a', notes));
    telemetry.add(noting('b', notes));

    expect(await telemetry.handler(TOOL, async () => 'hello')).toBe('hello');
    expect(notes).toEqual(['b handles greet', 'a handles greet']);
  });

  it('may say nothing of an operation; then nobody watches it', () => {
    const telemetry = new Telemetry();
    telemetry.add({ operation: () => undefined });

    expect(telemetry.operation({ method: 'ping' })).toBeUndefined();
  });

  it('give the first trace id that there is', () => {
    const telemetry = new Telemetry();
    telemetry.add({ operation: () => ({ ended: () => undefined }) });
    telemetry.add({ operation: () => ({ traceId: 'abc', ended: () => undefined }) });

    expect(telemetry.operation({ method: 'ping' })?.traceId).toBe('abc');
  });

  it('see no header by which somebody could be taken for the caller', () => {
    const [telemetry, operation] = [new Telemetry(), vi.fn()];
    telemetry.add({ operation });
    const secrets = { authorization: 'Bearer s', cookie: 's', 'proxy-authorization': 's', 'mcp-session-id': 's' };
    const headers = { ...secrets, traceparent: '00-1', host: 'shop' };

    telemetry.operation({ method: 'tools/call', headers });

    expect(operation).toHaveBeenCalledWith({ method: 'tools/call', headers: { traceparent: '00-1', host: 'shop' } });
    expect(headers).toMatchObject(secrets);
  });

  it('that read no headers are not given any', () => {
    const [telemetry, operation] = [new Telemetry(), vi.fn()];
    telemetry.add({ readsHeaders: false, operation });

    telemetry.operation({ method: 'tools/call', era: 'stateless', headers: { host: 'shop' } });

    expect(operation.mock.calls[0]?.[0]).not.toHaveProperty('headers');
    expect(operation).toHaveBeenCalledWith(expect.objectContaining({ method: 'tools/call', era: 'stateless' }));
  });

  it('that do not run an operation do not make it run within anything', () => {
    const telemetry = new Telemetry();
    telemetry.add({ operation: () => ({ ended: () => undefined }) });
    telemetry.add({ operation: () => ({ ended: () => undefined }) });

    expect(telemetry.operation({ method: 'ping' })?.run).toBeUndefined();
  });

  it('that do not tell operations apart cost nothing for each', () => {
    const [telemetry, ended] = [new Telemetry(), vi.fn()];
    telemetry.add({ operation: () => watch });
    const watch = { ended };

    const [first, second] = [telemetry.operation({ method: 'ping' }), telemetry.operation({ method: 'ping' })];
    first?.ended(END);
    second?.ended(END);

    expect(first).toBe(second);
    expect(ended).toHaveBeenCalledTimes(2);
  });

  it('hear of a Redis command and of its answer', () => {
    const telemetry = new Telemetry();
    const answered = vi.fn();
    telemetry.add({ redisCommand: () => answered });
    telemetry.add({ redisCommand: () => answered });
    const error = new Error('READONLY');

    telemetry.redisCommand('rookeryBeat')(error);

    expect(answered.mock.calls).toEqual([[error], [error]]);
  });
});

describe('an observer that throws', () => {
  it('is logged once, and the others hear all the same', () => {
    const [telemetry, wakeUp] = [new Telemetry(), vi.fn()];
    telemetry.add({ wakeUp: fail, sessionUnknown: fail, redisCommand: () => fail });
    telemetry.add({ wakeUp });

    telemetry.wakeUp(1);
    telemetry.wakeUp(2);
    telemetry.sessionUnknown();
    telemetry.redisCommand('hget')();

    expect(wakeUp.mock.calls).toEqual([[1], [2]]);
    expect(logged).toHaveBeenCalledTimes(1);
  });

  it('later is no different: its rejections are its own', async () => {
    const telemetry = new Telemetry();
    const late = (async () => fail()) as () => never;
    telemetry.add({ operation: () => ({ ended: late }), sessionStarted: late, redisCommand: () => late });
    telemetry.add({ operation: late, redisCommand: late });

    telemetry.operation({ method: 'tools/call' })?.ended(END);
    telemetry.sessionStarted();
    telemetry.redisCommand('hget')();
    await flush();

    expect(logged).toHaveBeenCalledTimes(2);
  });

  it('may return promises of any kind', () => {
    const telemetry = new Telemetry();
    const rejects = { then: (_resolve: unknown, reject: (error: Error) => void) => reject(new Error('no')) };
    telemetry.add({ wakeUp: () => rejects });

    telemetry.wakeUp(1);

    expect(logged).toHaveBeenCalledTimes(1);
  });

  it('when it is asked for its trace id does not watch the operation', () => {
    const [telemetry, ended] = [new Telemetry(), vi.fn()];
    telemetry.add({ operation: () => Object.defineProperty({ ended }, 'traceId', { get: fail }) });
    telemetry.add({ operation: () => ({ traceId: 'abc', ended: () => undefined }) });

    expect(telemetry.operation({ method: 'ping' })?.traceId).toBe('abc');
    expect(logged).toHaveBeenCalledTimes(1);
  });

  it('takes nothing from an operation', () => {
    const [telemetry, ended] = [new Telemetry(), vi.fn()];
    telemetry.add({ operation: fail });
    telemetry.add({ operation: () => ({ run: fail, ended: fail }) });
    telemetry.add({ operation: () => ({ ended }) });

    const watch = telemetry.operation({ method: 'tools/call' });

    expect(watch?.run?.(() => 'done')).toBe('done');
    watch?.ended(END);
    expect(ended).toHaveBeenCalledWith(END);
  });

  it.each<[string, ServerObserver['handler']]>([
    ['before the handler', fail],
    ['after the handler began', (_capability, work) => (void work(), fail())],
    ['when the handler has ended', (_capability, work) => work().finally(fail)],
    ['before the handler, and later', async () => Promise.resolve().then(fail)],
  ])('%s leaves the handler to run once, to its end', async (_when, handler) => {
    const telemetry = new Telemetry();
    telemetry.add({ handler: handler as NonNullable<typeof handler> });
    const work = vi.fn(async () => 'hello');

    expect(await telemetry.handler(TOOL, work)).toBe('hello');
    await flush();
    expect(work).toHaveBeenCalledTimes(1);
    expect(logged).toHaveBeenCalledTimes(1);
  });

  it.each<[string, (work: () => unknown) => unknown]>([
    ['that comes of the work itself', (work) => work()],
    ['that comes of it later', async (work) => work()],
  ])('is not one that passes a rejection on %s', async (_which, run) => {
    const telemetry = new Telemetry();
    telemetry.add({ operation: () => ({ run: run as NonNullable<OperationWatch['run']>, ended: () => undefined }) });
    const broken = new Error('of the operation');

    await expect(telemetry.operation({ method: 'ping' })?.run?.(() => Promise.reject(broken))).rejects.toBe(broken);
    await flush();
    expect(logged).not.toHaveBeenCalled();
  });

  it('is not one that lets an error of the handler through', async () => {
    const telemetry = new Telemetry();
    telemetry.add({ handler: async (_capability, work) => work() });
    const broken = new Error('of the handler');

    await expect(telemetry.handler(TOOL, () => Promise.reject(broken))).rejects.toBe(broken);
    await flush();
    expect(logged).not.toHaveBeenCalled();
  });
});
