import { describe, expect, it, vi } from 'vitest';
import { eventually } from '../../../test/support/eventually.js';
import { AccessControl } from '../policy/access-control.js';
import { PLAIN_CHALLENGE } from '../protocol/access-challenge.js';
import type { AccessPolicy, AccessRequest } from '../protocol/access-policy.port.js';
import { ANONYMOUS, type Principal } from '../protocol/principal.js';
import type { AccessOptions } from '../registry/access-rule.js';
import { McpRegistry } from '../registry/mcp-registry.js';
import type { Change, ChangeBus } from '../session/change-bus.port.js';
import { Audience } from './audience.js';

const SILENT_BUS = { publish: async () => undefined } as unknown as ChangeBus;
const ANN: Principal = { issuer: 'test', subject: 'ann', scopes: new Set(), roles: new Set(['x']), claims: {} };

/** What a caller hears of these resources. */
function audienceOf(
  resources: Readonly<Record<string, AccessOptions>>,
  anonymousMayUse: 'all' | 'public' = 'public',
  principal = ANN,
  overrun?: () => void,
) {
  const registry = new McpRegistry({ pageSize: 10 }, SILENT_BUS);
  for (const [uri, access] of Object.entries(resources)) {
    registry.addResource({ uri, name: 'resource', access, handler: () => '' });
  }
  const logger = { error: vi.fn() };
  return new Audience(
    { registry, access: new AccessControl({ anonymousMayUse, challenge: PLAIN_CHALLENGE, logger }) },
    principal,
    overrun,
  );
}

/** A policy that is answered by hand, in any order. */
class ByHand implements AccessPolicy {
  readonly asked: ((answer: boolean) => void)[] = [];

  allows(_request: AccessRequest): Promise<boolean> {
    return new Promise((resolve) => this.asked.push(resolve));
  }
}

const changed = (uri: string): Change => ({ kind: 'resource', uri });

describe('an audience', () => {
  it('hears at once of what it may see, and nothing of the rest', () => {
    const audience = audienceOf({ 'a://1': {}, 'a://2': { roles: ['x'] }, 'a://3': { roles: ['y'] } });
    const heard: string[] = [];
    for (const uri of ['a://1', 'a://2', 'a://3', 'a://4']) audience.tell(changed(uri), () => heard.push(uri));

    expect(heard).toEqual(['a://1', 'a://2']);
  });

  it('hears that lists have changed, whatever is in them', () => {
    const say = vi.fn();
    const audience = audienceOf({});
    for (const kind of ['tools', 'resources', 'prompts'] as const) audience.tell({ kind }, say);

    expect(say).toHaveBeenCalledTimes(3);
  });

  it('hears of what is registered nowhere only where all is open', async () => {
    const open = audienceOf({ 'a://1': { roles: ['y'] } }, 'all');

    expect(await open.only([changed('a://0'), changed('a://1')])).toEqual([changed('a://0')]);
    expect(await audienceOf({}).only([changed('a://0')])).toEqual([]);
  });

  it('may follow a URI if it may read what that means to it', async () => {
    const audience = audienceOf({ 'a://{x}/secret': { roles: ['y'] }, 'a://{+all}': {}, 'b://{x}': { roles: ['y'] } });

    expect(await audience.mayFollow('a://1/secret')).toBe(true);
    expect(await audience.mayFollow('b://1')).toBe(false);
    expect(await audience.mayFollow('c://1')).toBe(false);
  });

  it('of a stranger is asked for a name before being told that there is nothing', async () => {
    const stranger = audienceOf({ 'a://1': { public: true }, 'a://2': {} }, 'public', ANONYMOUS);

    expect(await stranger.mayFollow('a://1')).toBe(true);
    for (const uri of ['a://2', 'a://3']) {
      await expect(stranger.mayFollow(uri)).rejects.toMatchObject({ reason: 'UNAUTHORIZED' });
    }
  });

  it('asks each policy once, and goes on where one says no', async () => {
    const [specific, general] = [new ByHand(), new ByHand()];
    const audience = audienceOf({ 'a://{x}/secret': { policies: [specific] }, 'a://{+all}': { policies: [general] } });
    const follows = audience.mayFollow('a://1/secret');
    specific.asked[0]?.(false);
    for (const count of [1, 2]) {
      await eventually(() => expect(general.asked).toHaveLength(count));
      general.asked[count - 1]?.(true);
    }

    expect(await follows).toBe(true);
    // Whether it may be seen, and where it may, whether it may be read.
    expect([specific.asked.length, general.asked.length]).toEqual([1, 2]);
  });

  it('hears in the order of the changes, however long a policy takes', async () => {
    const policy = new ByHand();
    const audience = audienceOf({ 'a://slow': { policies: [policy] }, 'a://quick': {} });
    const heard: string[] = [];
    for (const uri of ['a://quick', 'a://slow', 'a://quick']) audience.tell(changed(uri), () => heard.push(uri));
    audience.inTurn(() => void heard.push('end'));
    expect(heard).toEqual(['a://quick']);

    for (const count of [1, 2]) {
      await eventually(() => expect(policy.asked).toHaveLength(count));
      policy.asked[count - 1]?.(true);
    }
    await eventually(() => expect(heard).toEqual(['a://quick', 'a://slow', 'a://quick', 'end']));
  });

  it('goes on when something that was to be done in turn fails', async () => {
    const audience = audienceOf({ 'a://1': {} });
    const heard = vi.fn();
    audience.inTurn(() => Promise.reject(new Error('broken')));
    audience.tell(changed('a://1'), heard);

    await eventually(() => expect(heard).toHaveBeenCalledOnce());
  });

  it('may follow only what it may read: a policy that lets it see a template is asked about the very resource', async () => {
    const own: AccessPolicy = {
      allows: ({ action, principal, arguments: given }) => action === 'see' || given?.['owner'] === principal.subject,
    };
    const audience = audienceOf({ 'a://{owner}': { policies: [own] } });

    expect(await audience.mayFollow('a://ann')).toBe(true);
    await expect(audience.mayFollow('a://bob')).rejects.toMatchObject({ reason: 'FORBIDDEN' });
    expect(await audience.only([changed('a://ann'), changed('a://bob')])).toEqual([changed('a://ann')]);
  });

  it('gives up, once, when a policy is too slow for what there is to tell', () => {
    const overrun = vi.fn();
    const audience = audienceOf({ 'a://slow': { policies: [new ByHand()] } }, 'public', ANN, overrun);
    for (let count = 0; count < 1_100; count++) audience.tell(changed('a://slow'), () => undefined);

    expect(overrun).toHaveBeenCalledOnce();
  });

  it('tells nobody who has gone', async () => {
    const policy = new ByHand();
    const audience = audienceOf({ 'a://slow': { policies: [policy] }, 'a://1': {} });
    const say = vi.fn();
    audience.tell(changed('a://slow'), () => undefined);
    audience.tell(changed('a://1'), say);
    audience.close();

    policy.asked[0]?.(false);
    await eventually(() => expect(policy.asked).toHaveLength(1));
    audience.tell(changed('a://1'), say);
    expect(say).not.toHaveBeenCalled();
  });
});
