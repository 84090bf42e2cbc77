import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { steps, take } from './properties/caller-commands.js';
import { expectGoodAnswer, expectGoodRefusal } from './properties/good-answer.js';
import { GuardedServer } from './properties/guarded-server.js';
import { bodies, framing, headerChanges, requestLines, withHeaders } from './properties/header-mutations.js';
import { changed, changes, damage, damaged } from './properties/json-mutations.js';
import { sendRaw } from './properties/raw-answer.js';
import { ARGUMENT, type Plan, bytesOf, headersFor, plans } from './properties/requests.js';
import { TwoCallers } from './properties/two-callers.js';

/**
 * fast-check prints the seed of a run that fails; `PROPERTY_SEED` repeats it, and makes it smaller. `PROPERTY_RUNS` is how many times as many
 * runs there are, for longer searches.
 */
const SEED = process.env['PROPERTY_SEED'];
const TIMES = Number(process.env['PROPERTY_RUNS'] ?? 1);
const TIMEOUT = 60_000 * TIMES;

/** Requests of one run, which are sent at once. */
const AT_ONCE = { minLength: 1, maxLength: 6 } as const;

function runs(count: number): fc.Parameters<unknown> {
  const repeated = SEED !== undefined && { seed: Number(SEED), interruptAfterTimeLimit: TIMEOUT / 2 };
  return { numRuns: Math.ceil(count * TIMES), endOnFailure: !repeated, ...repeated };
}

let server: GuardedServer;

beforeAll(async () => void (server = await GuardedServer.start()));
afterEach(() => server.expectWell());
afterAll(() => server[Symbol.asyncDispose]());

const secrets = (): string[] => [...server.secrets, ARGUMENT];

interface Exchange {
  readonly plan: Plan;
  readonly verb?: string;
  readonly target?: string;
  readonly lines?: Parameters<typeof withHeaders>[1];
  readonly body?: Buffer;
}

/** Sends one request and looks at what comes; a session that it ends is made anew for the next. */
async function check({ plan, verb = 'POST', target = '/mcp', lines = [], body }: Exchange): Promise<void> {
  const headers = withHeaders(await headersFor(server, plan), lines);
  const answers = await sendRaw(server.port, bytesOf(verb, target, headers, body));
  expect(answers.length).toBe(1);
  for (const answer of answers) {
    if (answer.status === 204 && verb === 'DELETE') server.forgetSessions();
    const sent = { verb, ...(body && { body }), mustEchoId: lines.length === 0 };
    if (target === '/mcp') expectGoodAnswer(answer, sent, secrets());
    else expectGoodRefusal(answer, secrets());
  }
}

describe('whatever is sent', () => {
  it('in the body of a request that somebody may send', { timeout: TIMEOUT }, async () => {
    const one = fc.record({ plan: plans, edits: changes, harm: damage });

    await fc.assert(
      fc.asyncProperty(fc.array(one, AT_ONCE), async (all) => {
        await Promise.all(
          all.map(({ plan, edits, harm }) => check({ plan, body: damaged(changed(plan.message, edits), harm) })),
        );
      }),
      runs(250),
    );
  });

  it('in the headers of a request', { timeout: TIMEOUT }, async () => {
    const one = fc.record({ plan: plans, lines: headerChanges });

    await fc.assert(
      fc.asyncProperty(fc.array(one, AT_ONCE), async (all) => {
        await Promise.all(
          all.map(({ plan, lines }) => check({ plan, lines, body: Buffer.from(JSON.stringify(plan.message)) })),
        );
      }),
      runs(250),
    );
  });

  it('by other methods, with and without a body', { timeout: TIMEOUT }, async () => {
    const one = fc.record({
      plan: plans,
      verb: fc.constantFrom('GET', 'GET', 'DELETE', 'OPTIONS', 'HEAD', 'PUT', 'PATCH'),
      lines: headerChanges,
      hasBody: fc.boolean(),
      edits: changes,
    });

    await fc.assert(
      fc.asyncProperty(fc.array(one, AT_ONCE), async (all) => {
        await Promise.all(
          all.map(({ plan, verb, lines, hasBody, edits }) =>
            check({ plan, verb, lines, ...(hasBody && { body: Buffer.from(changed(plan.message, edits)) }) }),
          ),
        );
      }),
      runs(150),
    );
  });

  it('to other addresses, the metadata among them', { timeout: TIMEOUT }, async () => {
    const one = fc.record({
      plan: plans,
      verb: fc.constantFrom('GET', 'GET', 'OPTIONS', 'OPTIONS', 'HEAD', 'POST', 'PUT', 'DELETE', 'PROPFIND', 'TRACE'),
      target: fc.oneof(
        fc.constantFrom(
          '/.well-known/oauth-protected-resource',
          '/.well-known/oauth-protected-resource/mcp',
          '/.well-known/oauth-protected-resource/%',
          '/mcp/',
          '/mcp?',
          '/mcp?access_token=x',
          '/mcp?access_token',
          '/mcp?%ff&a=%',
          '/mcp#x',
          '/mcp;x',
          '/%6dcp',
          '/mcp%00',
          '/mcp%',
          '//mcp',
          '/../mcp',
          'http://localhost/mcp',
          'http://localhost:x/mcp',
          'http://[/mcp',
          '*',
          `/mcp?${'x'.repeat(3_000)}`,
        ),
        fc.webPath(),
      ),
      lines: headerChanges,
      hasBody: fc.boolean(),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(one, AT_ONCE), async (all) => {
        await Promise.all(
          all.map(({ plan, verb, target, lines, hasBody }) =>
            check({ plan, verb, target, lines, ...(hasBody && { body: Buffer.from('{') }) }),
          ),
        );
      }),
      runs(120),
    );
  });

  it(
    'as bytes that may be no HTTP at all: an answer or none, and the connection is closed',
    { timeout: TIMEOUT },
    async () => {
      const one = fc.record({ plan: plans, line: requestLines, more: framing, rest: bodies });

      await fc.assert(
        fc.asyncProperty(fc.array(one, AT_ONCE), async (all) => {
          await Promise.all(
            all.map(async ({ plan, line, more, rest }) => {
              const lines = (await headersFor(server, plan)).map(([name, value]) => `${name}: ${value}`);
              const bytes = Buffer.from([line, ...lines, ...more, '', rest].join('\r\n'), 'latin1');
              for (const answer of await sendRaw(server.port, bytes, { toTheEnd: true })) {
                expectGoodRefusal(answer, secrets());
              }
            }),
          );
        }),
        runs(150),
      );
    },
  );
});

describe('whatever two callers do, in whatever order', () => {
  let shared: GuardedServer;

  beforeAll(async () => void (shared = await GuardedServer.start({ askTimeoutMs: 60_000 })));
  afterEach(() => shared.expectWell());
  afterAll(() => shared[Symbol.asyncDispose]());

  it(
    'neither of them hears of the other, ends what is not theirs, or answers in another name',
    { timeout: TIMEOUT },
    async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const callers = new TwoCallers(shared);
          try {
            for (const step of all) await take(callers, step);
          } finally {
            await callers.close();
          }
          callers.expectApart();
        }),
        runs(80),
      );
    },
  );
});
