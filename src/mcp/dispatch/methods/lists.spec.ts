import { describe, expect, it, vi } from 'vitest';
import { AccessControl } from '../../policy/access-control.js';
import { PLAIN_CHALLENGE } from '../../protocol/access-challenge.js';
import { ANONYMOUS, type Principal } from '../../protocol/principal.js';
import type { Era } from '../../protocol/revisions.js';
import { McpRegistry } from '../../registry/mcp-registry.js';
import type { ChangeBus } from '../../session/change-bus.port.js';
import type { CallOrigin } from '../call-origin.js';
import type { DispatchServices } from '../dispatch-services.js';
import { ResultEncoder } from '../encode/result-encoder.js';
import type { Operation } from '../operation.js';
import type { ResultOutcome } from '../outcome.js';
import { LIST_METHODS } from './lists.js';

const ann: Principal = { issuer: 'test', subject: 'ann', scopes: new Set(['notes']), claims: {} };

function serverWith(admit: () => void | Promise<void> = () => undefined) {
  const registry = new McpRegistry({ pageSize: 2 }, { publish: async () => undefined } as unknown as ChangeBus);
  registry.addTool({ name: 'gauge', title: 'Größe', handler: () => '' });
  registry.addTool({ name: 'notes', handler: () => '', access: { scopes: ['notes'] } });
  registry.addTool({ name: 'weather', handler: () => '', access: { public: true } });
  const logger = { error: vi.fn() };
  const services = {
    registry,
    access: new AccessControl({ missingScope: 'hide', anonymousMayUse: 'public', challenge: PLAIN_CHALLENGE, logger }),
    operations: { admit },
    encoder: new ResultEncoder({ name: 'test', version: '1' }, 1_000_000),
    listCache: { ttlMs: 0, scope: 'public' },
  } as unknown as DispatchServices;
  const list = (principal: Principal = ann, era: Era = 'stateless', params = {}) =>
    LIST_METHODS.get('tools/list')?.(services, {
      params,
      origin: { era, principal } as CallOrigin,
      operation: {} as Operation,
    }) as ResultOutcome;
  return { registry, list };
}

const namesIn = ({ json }: ResultOutcome): string[] =>
  (JSON.parse(json) as { tools: { name: string }[] }).tools.map(({ name }) => name);

describe('a list', () => {
  it('is there at once, and the same until the list changes', () => {
    const { registry, list } = serverWith();

    const first = list();
    expect(namesIn(first)).toEqual(['gauge', 'notes']);
    expect(list()).toBe(first);

    registry.addTool({ name: 'alarm', handler: () => '' });
    expect(namesIn(list())).toEqual(['alarm', 'gauge']);
  });

  it('waits where it has to wait for its turn', async () => {
    const { list } = serverWith(() => Promise.resolve());

    const later: unknown = list();
    expect(later).toBeInstanceOf(Promise);
    expect(namesIn((await later) as ResultOutcome)).toEqual(['gauge', 'notes']);
  });

  it('is one for each era, page, and set of what is seen', () => {
    const { list } = serverWith();
    const { nextCursor } = JSON.parse(list().json) as { nextCursor: string };

    expect(namesIn(list(ann, 'stateless', { cursor: nextCursor }))).toEqual(['weather']);
    expect(namesIn(list({ ...ann, scopes: new Set() }))).toEqual(['gauge', 'weather']);
    expect(namesIn(list(ANONYMOUS))).toEqual(['weather']);
    expect(JSON.parse(list(ann, 'session').json)).not.toHaveProperty('resultType');
  });

  it('comes with the bytes that end its frame if it is long', () => {
    const { registry, list } = serverWith();
    expect(list().frameEnd).toBeUndefined();

    registry.addTool({ name: 'a', description: 'Größe '.repeat(2_000), handler: () => '' });
    const { json, frameEnd } = list();

    expect(json).toContain('Größe');
    expect(frameEnd?.toString()).toBe(`${json}}`);
  });
});
