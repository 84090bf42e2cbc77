import { describe, expect, it, onTestFinished } from 'vitest';
import { type AccessDefaults, type AccessOptions, McpRegistry } from '../../../src/index.js';
import type { McpTestApp } from '../../../src/testing.js';
import { type Json, sseEvents } from '../../support/wire.js';
import { ERAS } from '../nest/serve.js';
import { Caller, type Era, as, serveAsking } from '../policy/caller.js';

/** Something that is there but hidden, and something that is not there: of the same length, so that all else is, too. */
const HIDDEN = 'vault-of-gold';
const NOTHING = 'vault-of-dust';

const WAYS_TO_HIDE: readonly (readonly [string, AccessOptions, AccessDefaults])[] = [
  ['a role', { roles: ['admin'] }, {}],
  ['a policy', { policies: [{ allows: async () => false }] }, {}],
  ['a policy that fails', { policies: [{ allows: () => Promise.reject(new Error('down')) }] }, {}],
  ['a scope', { scopes: ['gold'] }, { missingScope: 'hide' }],
  ['a role and a scope', { roles: ['admin'], scopes: ['gold'] }, {}],
  ['having said nothing', {}, { undeclared: 'nobody' }],
];

const INPUT = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, amount: { type: 'integer' } },
  required: ['amount'],
} as const;
const ARGUMENTS = { type: 'object', properties: { door: { type: 'string' } }, required: ['door'] } as const;

/** One of each kind that this caller must not know of, and one of each that everyone may use. */
async function serveVault(access: AccessOptions, options: AccessDefaults = {}): Promise<McpTestApp> {
  const app = await serveAsking({}, { options: { access: options } });
  const registry = app.get(McpRegistry);
  for (const [name, rule] of [[HIDDEN, access] as const, ['open', { public: true }] as const]) {
    registry.addTool({ name, input: INPUT, access: rule, rateLimits: [{ perHour: 1 }], handler: () => 'gold' });
    registry.addPrompt({ name, input: ARGUMENTS, access: rule, handler: () => 'gold' });
    registry.addResource({ uri: `fixed://${name}`, name, access: rule, handler: () => 'gold' });
    registry.addResource({ uri: `${name}://{door}`, name, access: rule, handler: () => 'gold' });
    registry.addCompletion({ prompt: name, argument: 'door' }, () => ['front']);
    registry.addCompletion({ resource: `${name}://{door}`, argument: 'door' }, () => ['front']);
  }
  return app;
}

type Question = readonly [
  what: string,
  method: string,
  params: (name: string) => Json,
  headers?: Record<string, string>,
];

const tool = (more: Json) => (name: string) => ({ name, arguments: { amount: 1 }, ...more });
const complete = (ref: (name: string) => Json, argument: Json, more: Json = {}) => {
  return (name: string): Json => ({ ref: ref(name), argument, ...more });
};
const ofPrompt = (name: string): Json => ({ type: 'ref/prompt', name });
const ofTemplate = (name: string): Json => ({ type: 'ref/resource', uri: `${name}://{door}` });
const ofResource = (name: string): Json => ({ type: 'ref/resource', uri: `fixed://${name}` });
const cursorAfter = (name: string): Json => ({
  cursor: Buffer.from(JSON.stringify({ after: name })).toString('base64url'),
});

const ABOUT_TOOLS: readonly Question[] = [
  ['a call', 'tools/call', tool({})],
  ['a call without arguments', 'tools/call', (name) => ({ name })],
  ['a call with wrong arguments', 'tools/call', tool({ arguments: { amount: 'much' } })],
  ['a call with malformed arguments', 'tools/call', tool({ arguments: [1] })],
  ['a call that lacks the header of an argument', 'tools/call', tool({ arguments: { amount: 1, region: 'eu' } })],
  [
    'a call whose header contradicts an argument',
    'tools/call',
    tool({ arguments: { amount: 1, region: 'eu' } }),
    { 'mcp-param-region': 'us' },
  ],
  ['a call with a progress token', 'tools/call', tool({ _meta: { progressToken: 'p' } })],
  ['a call as a task', 'tools/call', tool({ task: { ttl: 1_000 } })],
  ['a call with a request state', 'tools/call', tool({ requestState: 'forged', inputResponses: {} })],
  ['a call with malformed answers', 'tools/call', tool({ requestState: 7, inputResponses: [] })],
];

const ABOUT_THE_REST: readonly Question[] = [
  ['a prompt', 'prompts/get', (name) => ({ name, arguments: { door: 'front' } })],
  ['a prompt without arguments', 'prompts/get', (name) => ({ name })],
  ['a prompt with malformed arguments', 'prompts/get', (name) => ({ name, arguments: 'front' })],
  ['a resource', 'resources/read', (name) => ({ uri: `fixed://${name}` })],
  ['a resource of a template', 'resources/read', (name) => ({ uri: `${name}://front` })],
  [
    'a resource with a progress token',
    'resources/read',
    (name) => ({ uri: `fixed://${name}`, _meta: { progressToken: 1 } }),
  ],
  ['a completion of a prompt', 'completion/complete', complete(ofPrompt, { name: 'door', value: '' })],
  ['a completion of a template', 'completion/complete', complete(ofTemplate, { name: 'door', value: '' })],
  ['a completion of a resource', 'completion/complete', complete(ofResource, { name: 'door', value: '' })],
  [
    'a completion of a wrong argument of a prompt',
    'completion/complete',
    complete(ofPrompt, { name: 'dor', value: '' }),
  ],
  ['a completion of a wrong variable', 'completion/complete', complete(ofTemplate, { name: 'dor', value: '' })],
  ['a completion of no argument', 'completion/complete', complete(ofPrompt, {})],
  [
    'a completion with a wrong context',
    'completion/complete',
    complete(ofPrompt, { name: 'door', value: '' }, { context: { arguments: { door: 7 } } }),
  ],
];

/** What names nothing: the answer is no refusal. */
const ABOUT_LISTS: readonly Question[] = [
  ['a page of tools', 'tools/list', cursorAfter],
  ['a page of prompts', 'prompts/list', cursorAfter],
  ['a page of resources', 'resources/list', (name) => cursorAfter(`fixed://${name}`)],
  ['a page of templates', 'resources/templates/list', (name) => cursorAfter(`${name}://{door}`)],
];

const ABOUT_SESSIONS: readonly Question[] = [
  ['a subscription', 'resources/subscribe', (name) => ({ uri: `fixed://${name}` })],
  ['a subscription to a template', 'resources/subscribe', (name) => ({ uri: `${name}://front` })],
  ['the end of a subscription', 'resources/unsubscribe', (name) => ({ uri: `fixed://${name}` })],
];

const questionsOf = (era: Era): readonly Question[] => [
  ...ABOUT_TOOLS,
  ...ABOUT_THE_REST,
  ...ABOUT_LISTS,
  ...(era === 'session' ? ABOUT_SESSIONS : []),
];

/** Everything that came back, but for when, with the name taken out. */
async function answerAbout(caller: Caller, [, method, params, headers]: Question, name: string): Promise<object> {
  const response = await caller.request(method, params(name), headers);
  const { date: _when, ...rest } = Object.fromEntries(response.headers);
  return { status: response.status, headers: rest, body: (await response.text()).replaceAll(name, 'NAME') };
}

describe.each(ERAS)('what is hidden is like what does not exist, in the %s era', (era) => {
  describe.each(WAYS_TO_HIDE)('by %s', (_how, access, options) => {
    it('whatever is asked about it', async () => {
      await using app = await serveVault(access, options);
      const caller = await Caller.open(app.url, era, as({}));
      for (const question of questionsOf(era)) {
        const aboutNothing = await answerAbout(caller, question, NOTHING);
        expect(await answerAbout(caller, question, HIDDEN), question[0]).toEqual(aboutNothing);
        // Twice, since its own limits must not show either.
        expect(await answerAbout(caller, question, HIDDEN), question[0]).toEqual(aboutNothing);
      }
    });

    it('in every list', async () => {
      await using app = await serveVault(access, options);
      const caller = await Caller.open(app.url, era, as({}));
      const bodies = await Promise.all(ABOUT_LISTS.map(([, method]) => caller.ask(method)));

      for (const { body } of bodies) {
        expect(body).toContain('open');
        expect(body).not.toContain(HIDDEN);
      }
    });
  });

  it('and not so for those who may use it: the questions are real ones', async () => {
    await using app = await serveVault({ roles: ['admin'] });
    const admin = await Caller.open(app.url, era, as({ roles: ['admin'] }));
    const differs: string[] = [];
    for (const question of questionsOf(era)) {
      const [one, other] = [await answerAbout(admin, question, HIDDEN), await answerAbout(admin, question, NOTHING)];
      if (JSON.stringify(one) !== JSON.stringify(other)) differs.push(question[0]);
    }

    const same = questionsOf(era)
      .map(([what]) => what)
      .filter((what) => !differs.includes(what));
    expect(same).toEqual([
      // Refused for its form, before anything is looked for.
      'a call with malformed arguments',
      'a prompt with malformed arguments',
      'a completion of no argument',
      'a completion with a wrong context',
      ...(era === 'session' ? ['the end of a subscription'] : []),
    ]);
  });
});

describe.each(ERAS)('a stranger in the %s era', (era) => {
  it.each([
    ['a name', {}],
    ['a role', { roles: ['admin'] }],
    ['a scope', { scopes: ['gold'] }],
    ['a policy', { policies: [{ allows: () => true }] }],
  ] as const)('is refused in the same way what needs %s and what does not exist', async (_what, access) => {
    await using app = await serveVault(access);
    const stranger = await Caller.open(app.url, era);
    const refused = {
      status: 401,
      challenge: 'Bearer',
      type: 'application/json; charset=utf-8',
      body: '{"jsonrpc":"2.0","id":1,"error":{"code":401,"message":"Authentication is required."}}',
    };
    const malformed = new Set(['a call with malformed arguments', 'a prompt with malformed arguments']);
    const formless = new Set(['a completion of no argument', 'a completion with a wrong context']);
    const session = era === 'session' ? ABOUT_SESSIONS.slice(0, 2) : [];
    for (const [what, method, params, headers] of [...ABOUT_TOOLS, ...ABOUT_THE_REST, ...session]) {
      if (malformed.has(what) || formless.has(what)) continue;
      for (const name of [HIDDEN, NOTHING]) {
        expect(await stranger.ask(method, params(name), headers), `${what} ${name}`).toEqual(refused);
      }
    }
  });

  it('hears the same of both whatever else is wrong, and sees neither in a page', async () => {
    await using app = await serveVault({});
    const stranger = await Caller.open(app.url, era);
    for (const question of questionsOf(era)) {
      expect(await answerAbout(stranger, question, HIDDEN), question[0]).toEqual(
        await answerAbout(stranger, question, NOTHING),
      );
    }
  });
});

/** The messages of a stream, in the order in which they come. */
async function messagesOf(open: (signal: AbortSignal) => Promise<Response>): Promise<() => Promise<Json>> {
  const connection = new AbortController();
  onTestFinished(() => connection.abort());
  const response = await open(connection.signal);
  expect(response.status).toBe(200);
  const events = sseEvents(response);
  return async () => {
    for (let next = await events.next(); !next.done; next = await events.next()) {
      if (next.value.data !== '') return JSON.parse(next.value.data) as Json;
    }
    throw new Error('The stream has ended.');
  };
}

describe.each(WAYS_TO_HIDE)('a change of what is hidden by %s', (_how, access, options) => {
  const uris = [`fixed://${HIDDEN}`, `${HIDDEN}://front`, `fixed://${NOTHING}`];
  const publish = async (app: McpTestApp): Promise<void> => {
    for (const uri of [...uris, 'fixed://open']) await app.get(McpRegistry).resourceUpdated(uri);
  };

  it('is not heard of through subscriptions/listen, which grants all alike', async () => {
    await using app = await serveVault(access, options);
    const caller = await Caller.open(app.url, 'stateless', as({}));
    const notifications = { resourceSubscriptions: [...uris, 'fixed://open'] };
    const next = await messagesOf(() => caller.request('subscriptions/listen', { notifications }));

    expect(await next()).toMatchObject({ params: { notifications } });
    await publish(app);
    expect(await next()).toMatchObject({ method: 'notifications/resources/updated', params: { uri: 'fixed://open' } });
  });

  it('is not heard of on the stream of a session', async () => {
    await using app = await serveVault(access, options);
    const caller = await Caller.open(app.url, 'session', as({}));
    for (const uri of [...uris, 'fixed://open']) await caller.ask('resources/subscribe', { uri });
    const next = await messagesOf((signal) => caller.listen(signal));
    await publish(app);

    expect(await next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: { uri: 'fixed://open' },
    });
  });
});

describe('a right that is taken away', () => {
  it('ends what a subscription of before tells', async () => {
    let allowed = true;
    await using app = await serveVault({ policies: [{ allows: () => allowed }] });
    const caller = await Caller.open(app.url, 'session', as({}));
    for (const uri of [`fixed://${HIDDEN}`, 'fixed://open']) await caller.ask('resources/subscribe', { uri });
    const next = await messagesOf((signal) => caller.listen(signal));
    const publish = (uri: string) => app.get(McpRegistry).resourceUpdated(uri);
    await publish(`fixed://${HIDDEN}`);
    expect(await next()).toMatchObject({ params: { uri: `fixed://${HIDDEN}` } });
    allowed = false;
    await publish(`fixed://${HIDDEN}`);
    await publish('fixed://open');

    expect(await next()).toMatchObject({ params: { uri: 'fixed://open' } });
  });

  it('is gone for what happened while nobody listened, too', async () => {
    let allowed = true;
    await using app = await serveVault({ policies: [{ allows: () => allowed }] });
    const caller = await Caller.open(app.url, 'session', as({}));
    for (const uri of [`fixed://${HIDDEN}`, 'fixed://open']) await caller.ask('resources/subscribe', { uri });
    for (const uri of [`fixed://${HIDDEN}`, 'fixed://open']) await app.get(McpRegistry).resourceUpdated(uri);
    allowed = false;
    const next = await messagesOf((signal) => caller.listen(signal));

    expect(await next()).toMatchObject({ params: { uri: 'fixed://open' } });
  });
});
