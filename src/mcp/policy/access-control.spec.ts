import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AccessPolicy, AccessRequest } from '../protocol/access-policy.port.js';
import { PLAIN_CHALLENGE } from '../protocol/access-challenge.js';
import { ANONYMOUS, type Principal } from '../protocol/principal.js';
import type { AccessOptions } from '../registry/access-rule.js';
import type { PromptCapability } from '../registry/capability.js';
import { rulesFromOptions } from '../registry/capability-rules.js';
import { McpRegistry } from '../registry/mcp-registry.js';
import type { ChangeBus } from '../session/change-bus.port.js';
import { AccessControl, type AccessControlOptions } from './access-control.js';

function prompt(key: string, access: AccessOptions = {}): PromptCapability {
  return {
    kind: 'prompt',
    key,
    observed: { kind: 'prompt', key },
    origin: `Class.${key}`,
    description: undefined,
    argumentNames: [],
    entry: { stateless: key, session: key },
    timeoutMs: undefined,
    rules: rulesFromOptions({ access }, key),
    invoke: () => undefined,
  };
}

const ann = (scopes: string[] = [], roles: string[] = []): Principal => ({
  issuer: 'test',
  subject: 'ann',
  scopes: new Set(scopes),
  roles: new Set(roles),
  claims: {},
});

const logger = { error: vi.fn() };

/** A server that asks who is calling, unless told otherwise. */
function control(options: Partial<AccessControlOptions> = {}): AccessControl {
  return new AccessControl({ anonymousMayUse: 'public', challenge: PLAIN_CHALLENGE, logger, ...options });
}

class Says implements AccessPolicy {
  readonly asked: AccessRequest[] = [];

  constructor(private readonly answer: (request: AccessRequest) => unknown) {}

  allows(request: AccessRequest): boolean {
    this.asked.push(request);
    return this.answer(request) as boolean;
  }
}

const seeOnly = (): Says => new Says(({ action }) => action === 'see');

afterEach(() => void logger.error.mockClear());

describe('a use', () => {
  it.each([
    ['of what is public', { public: true }, ANONYMOUS, { effect: 'allow', rule: 'public' }],
    ['of a stranger', {}, ANONYMOUS, { effect: 'hide', rule: 'authentication' }],
    ['of a stranger who lacks scopes', { scopes: ['a'] }, ANONYMOUS, { effect: 'hide', rule: 'authentication' }],
    ['without a rule', {}, ann(), { effect: 'allow', rule: 'authenticated' }],
    ['with the scopes', { scopes: ['a', 'b'] }, ann(['b', 'a']), { effect: 'allow', rule: 'scopes:a b' }],
    ['with one of the roles', { roles: ['x', 'y'] }, ann([], ['y']), { effect: 'allow', rule: 'roles:x|y' }],
    ['without a role', { roles: ['x', 'y'] }, ann(['x'], ['z']), { effect: 'hide', rule: 'roles:x|y' }],
    ['without role and scope', { roles: ['x'], scopes: ['a'] }, ann(), { effect: 'hide', rule: 'roles:x' }],
    [
      'with all of it',
      { roles: ['x'], scopes: ['a'] },
      ann(['a'], ['x']),
      { effect: 'allow', rule: 'roles:x,scopes:a' },
    ],
  ])('%s is decided at once', (_what, access, principal, decision) => {
    expect(control().decide(prompt('p', access), principal, {})).toEqual(decision);
  });

  it('without a scope is refused, naming all that it needs', () => {
    const decision = control().decide(prompt('p', { scopes: ['b', 'a'] }), ann(['a']), {});

    expect(decision).toMatchObject({
      effect: 'refuse',
      rule: 'scopes:a b',
      error: {
        reason: 'FORBIDDEN',
        headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="a b"' },
      },
    });
  });

  it('of a caller without roles at all is hidden', () => {
    const { roles: _none, ...nobody } = ann();

    expect(control().decide(prompt('p', { roles: ['x'] }), nobody, {})).toMatchObject({ effect: 'hide' });
  });

  it('without a rule is hidden from all where undeclared means nobody', () => {
    const access = control({ undeclared: 'nobody' });

    expect(access.decide(prompt('p'), ann(['a'], ['x']), {})).toEqual({ effect: 'hide', rule: 'undeclared' });
    expect(access.decide(prompt('p', { public: true }), ann(), {})).toMatchObject({ effect: 'allow' });
  });

  it('without a scope is hidden where missing scopes hide', () => {
    expect(control({ missingScope: 'hide' }).decide(prompt('p', { scopes: ['a'] }), ann(), {})).toEqual({
      effect: 'hide',
      rule: 'scopes:a',
    });
  });

  it('is open to all where nobody is asked, but for what requires something', () => {
    const access = control({ anonymousMayUse: 'all', undeclared: 'nobody' });

    expect(access.decide(prompt('p'), ANONYMOUS, {})).toEqual({ effect: 'allow', rule: 'open' });
    expect(access.decide(prompt('p', { roles: ['x'] }), ANONYMOUS, {})).toMatchObject({ effect: 'hide' });
    expect(access.decide(prompt('p', { scopes: ['a'] }), ANONYMOUS, {})).toMatchObject({
      effect: 'refuse',
      error: { reason: 'UNAUTHORIZED' },
    });
  });
});

describe('a policy', () => {
  it('is asked whether it may be seen, then with the arguments whether it may be used', async () => {
    const policy = new Says(() => true);
    const decision = await control().decide(prompt('p', { policies: [policy] }), ann(), { id: 7 });
    const asked = { principal: ann(), kind: 'prompt', name: 'p', options: undefined };

    expect(decision).toEqual({ effect: 'allow', rule: 'policy:Says' });
    expect(policy.asked).toEqual([
      { ...asked, action: 'see' },
      { ...asked, action: 'use', arguments: { id: 7 } },
    ]);
  });

  it('that answers at once decides at once', () => {
    const capability = prompt('p', { policies: [new Says(() => true), seeOnly()] });

    expect(control().decide(capability, ann(), {})).toMatchObject({ effect: 'refuse', rule: 'policy:Says' });
  });

  it('that lets nobody see hides, whatever scopes are missing', async () => {
    const capability = prompt('p', { scopes: ['a'], policies: [new Says(() => false)] });

    expect(await control().decide(capability, ann(), {})).toEqual({ effect: 'hide', rule: 'policy:Says' });
  });

  it('that lets nobody use refuses, and hears of no arguments before the scopes are there', async () => {
    const policy = seeOnly();
    const capability = prompt('p', { scopes: ['a'], policies: [policy] });

    expect(await control().decide(capability, ann(), {})).toMatchObject({ effect: 'refuse', rule: 'scopes:a' });
    expect(policy.asked.map(({ action }) => action)).toEqual(['see']);
    expect(await control().decide(capability, ann(['a']), {})).toMatchObject({
      effect: 'refuse',
      rule: 'policy:Says',
      error: { reason: 'FORBIDDEN', message: 'This is not allowed.', headers: {} },
    });
  });

  it('of several that says no decides, and those behind it are not asked', async () => {
    const [yes, no, last] = [new Says(() => true), new Says(() => false), new Says(() => true)];
    const capability = prompt('p', { policies: [yes, no, last] });

    expect(await control().decide(capability, ann(), {})).toMatchObject({ effect: 'hide' });
    expect([yes.asked.length, no.asked.length, last.asked.length]).toEqual([1, 1, 0]);
  });

  it('is not asked of callers whom a role keeps out', () => {
    const policy = new Says(() => true);

    expect(control().decide(prompt('p', { roles: ['x'], policies: [policy] }), ann(), {})).toMatchObject({
      effect: 'hide',
    });
    expect(policy.asked).toEqual([]);
  });

  it.each([undefined, null, 1, 'true', {}])('that answers %j has not said yes', async (answer) => {
    const capability = prompt('p', { policies: [new Says(() => answer)] });

    expect(await control().decide(capability, ann(), {})).toMatchObject({ effect: 'hide' });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('engine down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('engine down'))],
  ])('that %s denies, and the log says which and why, without the arguments', async (_how, answer) => {
    const capability = prompt('p', { policies: [new Says(answer)] });

    expect(await control().decide(capability, ann(), { pin: '1234' })).toMatchObject({ effect: 'hide' });
    expect(logger.error.mock.calls).toEqual([
      ['The policy Says failed on prompt p, so access was denied.', expect.stringContaining('engine down')],
    ]);
    expect(JSON.stringify(logger.error.mock.calls)).not.toContain('1234');
  });

  it('for all is asked of everything but what is public, before the others', async () => {
    const [global, own] = [new Says(() => true), new Says(() => true)];
    const access = control();
    access.askAlso(global);

    expect(await access.decide(prompt('p', { policies: [own] }), ann(), {})).toMatchObject({ effect: 'allow' });
    expect(await access.decide(prompt('q'), ann(), {})).toEqual({ effect: 'allow', rule: 'authenticated' });
    expect(access.decide(prompt('r', { public: true }), ann(), {})).toMatchObject({ effect: 'allow' });
    expect(global.asked.map(({ name }) => name)).toEqual(['p', 'p', 'q', 'q']);
    expect(own.asked.map(({ name }) => name)).toEqual(['p', 'p']);
  });
});

describe('a policy that does not answer', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('denies after ten seconds', async () => {
    const hung = new Says(() => new Promise(() => undefined));
    const decision = control().decide(prompt('p', { policies: [hung] }), ann(), {});
    await vi.advanceTimersByTimeAsync(10_000);

    expect(await decision).toEqual({ effect: 'hide', rule: 'policy:Says' });
    expect(logger.error).toHaveBeenCalledWith(
      'The policy Says failed on prompt p, so access was denied.',
      expect.stringContaining('It did not answer within 10000 ms.'),
    );
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind when it does', async () => {
    const slow = new Says(async () => true);
    await control().decide(prompt('p', { policies: [slow] }), ann(), {});

    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('what a caller sees of a list', () => {
  const open = prompt('open', { public: true });
  const plain = prompt('plain');
  const scoped = prompt('scoped', { scopes: ['a'] });
  const staff = prompt('staff', { roles: ['x'] });
  const policed = prompt('policed', {
    scopes: ['a'],
    policies: [new Says(({ principal }) => principal.tenant === 'acme')],
  });
  const list = [open, plain, policed, scoped, staff];

  async function seen(access: AccessControl, principal: Principal, of = list): Promise<string[]> {
    const visibility = await access.visibility(of, principal);
    const each = await Promise.all(
      of.map(async (capability) => (await access.visibility([capability], principal)).sees(capability)),
    );
    const keys = of.filter((capability) => visibility.sees(capability)).map(({ key }) => key);
    expect(of.filter((_, index) => each[index]).map(({ key }) => key)).toEqual(keys);
    return keys;
  }

  it.each([
    ['a stranger', ANONYMOUS, 'challenge', ['open']],
    ['somebody', ann(), 'challenge', ['open', 'plain']],
    ['who has the scope', ann(['a']), 'challenge', ['open', 'plain', 'scoped']],
    ['who has scope and role', ann(['a'], ['x']), 'challenge', ['open', 'plain', 'scoped', 'staff']],
    ['whom the policy knows', { ...ann(['a']), tenant: 'acme' }, 'challenge', ['open', 'plain', 'policed', 'scoped']],
    ['somebody', ann(), 'hide', ['open', 'plain']],
    ['somebody', ann(), 'advertise', ['open', 'plain', 'scoped']],
    ['a stranger', ANONYMOUS, 'advertise', ['open', 'plain', 'scoped']],
  ] as const)('%s (%o), if missing scopes %s', async (_who, principal, missingScope, expected) => {
    expect(await seen(control({ missingScope }), principal)).toEqual(expected);
    expect(await seen(control({ missingScope }), principal, list.toReversed())).toEqual([...expected].reverse());
  });

  it('leaves out what is undeclared, where that is for nobody', async () => {
    const access = control({ missingScope: 'advertise', undeclared: 'nobody' });

    expect(await seen(access, ann())).toEqual(['open', 'scoped']);
    expect(await seen(access, ANONYMOUS)).toEqual(['open', 'scoped']);
  });

  it('has one key for all who see the same, and another one for others', async () => {
    const access = control();
    const keyOf = async (principal: Principal) => (await access.visibility(list, principal)).key;
    const acme = { ...ann(['a']), tenant: 'acme' };

    expect(await keyOf(ann(['a'], ['y']))).toBe(await keyOf({ ...ann(['a', 'b']), subject: 'bob' }));
    const callers = [ANONYMOUS, ann(), ann(['a']), ann([], ['x']), ann(['a'], ['x']), acme];
    expect(new Set(await Promise.all(callers.map(keyOf))).size).toBe(6);
  });

  it('is one object for all who see the same', () => {
    const access = control();
    const rules = [open, plain, scoped, staff];

    expect(access.visibility(rules, ann(['a']))).toBe(access.visibility(rules, { ...ann(['a']), subject: 'bob' }));
  });

  it('is everything for whom nothing is hidden, and known at once without policies', () => {
    expect(control().visibility([open, scoped], ann(['a']))).toMatchObject({ key: '' });
  });

  it('is found out once for all whom the same rules let', () => {
    const access = control();
    const both = [open, scoped, prompt('granted', { scopes: ['z'] })];
    const first = access.visibility(both, ann(['a']));

    expect(access.visibility(both, { ...ann(['a', 'b']), subject: 'bob' })).toBe(first);
    expect(access.visibility(both, ann(['a', 'z']))).not.toBe(first);
  });

  it('asks a policy only about what the rules let a caller see', async () => {
    const policy = new Says(() => true);
    const guarded = prompt('guarded', { roles: ['x'], policies: [policy] });
    await control().visibility([guarded], ann());

    expect(policy.asked).toEqual([]);
  });
});

describe('what is the same for all', () => {
  it('is what is public, and where nobody is asked what requires nothing', () => {
    const [open, plain, scoped] = [prompt('o', { public: true }), prompt('p'), prompt('s', { scopes: ['a'] })];
    const asking = control();
    const free = control({ anonymousMayUse: 'all' });
    const policed = control({ anonymousMayUse: 'all' });
    policed.askAlso(new Says(() => true));
    const same = (access: AccessControl) =>
      [[open], [open, plain], [open, scoped]].map((all) => access.isSameForAll(all));

    expect(same(asking)).toEqual([true, false, false]);
    expect(same(free)).toEqual([true, true, false]);
    expect(same(policed)).toEqual([true, false, false]);
    expect([asking, free, policed].map((access) => access.isOpenToAll)).toEqual([false, true, false]);
  });
});

/** A server with these prompts, and nothing else. */
function offering(...prompts: PromptCapability[]): McpRegistry {
  const registry = new McpRegistry({ pageSize: 10 }, { publish: async () => undefined } as unknown as ChangeBus);
  registry.addAll(prompts);
  return registry;
}

describe('a stranger', () => {
  it('is let in where there is something for him', () => {
    const guarded = offering(prompt('p'), prompt('s', { scopes: ['a'] }));

    expect(control().letsIn(ANONYMOUS, guarded)).toBe(false);
    expect(control().letsIn(ANONYMOUS, offering(prompt('p'), prompt('o', { public: true })))).toBe(true);
    expect(control({ missingScope: 'advertise' }).letsIn(ANONYMOUS, guarded)).toBe(true);
    expect(control({ anonymousMayUse: 'all' }).letsIn(ANONYMOUS, offering())).toBe(true);
    expect(control().letsIn(ann(), offering())).toBe(true);
  });

  it('alone is asked for a name before being told that there is no such thing', () => {
    expect(control().refuseUnknown(ANONYMOUS)).toMatchObject({ reason: 'UNAUTHORIZED' });
    expect(control().refuseUnknown(ann())).toBeUndefined();
    expect(control({ anonymousMayUse: 'all' }).refuseUnknown(ANONYMOUS)).toBeUndefined();
  });
});
