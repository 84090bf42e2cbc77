import { describe, expect, it } from 'vitest';
import type { AccessDeclaration } from '../decorators/access-metadata.js';
import type { AccessPolicy } from '../protocol/access-policy.port.js';
import { type AccessOptions, accessFromOptions, compileAccess } from './access-rule.js';

const OPEN: AccessDeclaration = { kind: 'public' };
const scopes = (...names: string[]): AccessDeclaration => ({ kind: 'scopes', scopes: names });
const roles = (...anyOf: string[]): AccessDeclaration => ({ kind: 'roles', anyOf });
const policy = (options?: unknown): AccessDeclaration => ({ kind: 'policy', policy: 'P', options });

class Engine implements AccessPolicy {
  allows(): boolean {
    return true;
  }
}
const engine = new Engine();
const compile = (...levels: AccessDeclaration[][]) => compileAccess(levels, () => engine, 'Shop.refund');

describe('a rule', () => {
  it('that nobody made is left to the default of the server', () => {
    expect(compile([], [], [])).toMatchObject({ kind: 'undeclared', scopes: [], roles: [], policies: [] });
  });

  it('is all that module, class and method require', () => {
    const rule = compile([scopes('b')], [roles('x', 'y')], [scopes('a', 'b'), roles('z'), policy({ deep: 1 })]);

    expect(rule).toMatchObject({ kind: 'restricted', scopes: ['a', 'b'], roles: [['x', 'y'], ['z']] });
    expect(rule.policies).toEqual([{ name: 'Engine', policy: engine, options: { deep: 1 } }]);
  });

  it.each([
    ['everyone', [[], [], [OPEN]]],
    ['everyone', [[roles('x')], [scopes('a')], [OPEN]]],
    ['everyone', [[roles('x')], [OPEN], []]],
    ['everyone', [[OPEN], [], []]],
    ['restricted', [[OPEN], [], [scopes('a')]]],
    ['restricted', [[OPEN], [roles('x')], []]],
  ] as const)('is for %s when the levels say %j: the innermost that says something counts', (kind, levels) => {
    expect(compile(...(levels as unknown as AccessDeclaration[][])).kind).toBe(kind);
  });

  it('is public for all that a public level holds, but holds all again for what requires something within it', () => {
    expect(compile([roles('x')], [OPEN], [])).toMatchObject({ kind: 'everyone', roles: [] });
    expect(compile([roles('x')], [OPEN], [scopes('a')])).toMatchObject({ scopes: ['a'], roles: [['x']] });
  });

  it.each([scopes('a'), roles('x'), policy()])('cannot be public and have %j on one level', (other) => {
    expect(() => compile([], [OPEN, other])).toThrow(
      'Shop.refund is @Public() and requires something at the same time. Keep one of the two.',
    );
  });

  it('has the key of those that say the same, in whatever order', () => {
    expect(compile([scopes('b', 'a')]).key).toBe(compile([scopes('a')], [scopes('b')]).key);
    expect(compile([OPEN], [roles('x')]).key).toBe(compile([roles('x')]).key);
  });

  it('has a key of its own when it says something else', () => {
    const rules = [
      compile(),
      compile([OPEN]),
      compile([scopes('a')]),
      compile([scopes('a', 'b')]),
      compile([roles('a')]),
      compile([roles('a', 'b')]),
      compile([roles('a'), roles('b')]),
      compile([policy()]),
      compile([scopes('a'), policy()]),
    ];

    expect(new Set(rules.map(({ key }) => key)).size).toBe(9);
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(compile([scopes('a')]))).toBe(true);
  });
});

describe('a rule that is given at runtime', () => {
  it('says what decorators say', () => {
    const rule = accessFromOptions({ scopes: ['b', 'a'], roles: ['x', 'y'], policies: [engine] }, '"ping"');

    expect(rule).toMatchObject({ kind: 'restricted', scopes: ['a', 'b'], roles: [['x', 'y']] });
    expect(rule.policies).toEqual([{ name: 'Engine', policy: engine, options: undefined }]);
    expect(accessFromOptions({ public: true }).kind).toBe('everyone');
    expect(accessFromOptions({ public: false }).kind).toBe('undeclared');
    expect(accessFromOptions().kind).toBe('undeclared');
  });

  it('does not change with the lists that it was given', () => {
    const given = ['admin'];
    const rule = accessFromOptions({ roles: given });
    given.push('everybody');

    expect(rule.roles).toEqual([['admin']]);
  });

  it.each<[AccessOptions, string]>([
    [{ public: true, roles: ['x'] }, '"ping" is @Public() and requires something at the same time.'],
    [{ scopes: [] }, '"ping": access.scopes: [] is no scope of a resource.'],
    [{ scopes: ['a b'] }, '"ping": access.scopes: "a b" is no scope of a resource.'],
    [{ roles: [] }, '"ping": access.roles needs the names of one or more roles.'],
    [{ roles: [''] }, '"ping": access.roles needs the names of one or more roles.'],
    [{ policies: [] }, '"ping": access.policies: give one or more objects with a method allows()'],
    [{ policies: [undefined as never] }, '"ping": access.policies: give one or more objects with a method allows()'],
  ])('is refused if it is %j, so that nothing is open by mistake', (options, message) => {
    expect(() => accessFromOptions(options, '"ping"')).toThrow(message);
  });
});
