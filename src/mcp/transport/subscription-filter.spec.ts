import { expect, it } from 'vitest';
import { readSubscriptionFilter } from './subscription-filter.js';

it('grants what it knows, and repeats it', () => {
  const asked = {
    toolsListChanged: true,
    promptsListChanged: false,
    resourceSubscriptions: ['a://1', 'a://1'],
    other: true,
  };

  const { interest, granted } = readSubscriptionFilter({ notifications: asked }, 10);

  expect(interest).toEqual({ kinds: new Set(['tools']), uris: new Set(['a://1']) });
  expect(granted).toEqual({ toolsListChanged: true, resourceSubscriptions: ['a://1', 'a://1'] });
});

it('grants nothing to who asks for nothing', () => {
  expect(readSubscriptionFilter({ notifications: {} }, 10)).toEqual({
    interest: { kinds: new Set(), uris: new Set() },
    granted: {},
  });
});

it('lets as many resources in as allowed, and no more', () => {
  const of = (count: number) => ({
    notifications: { resourceSubscriptions: Array.from({ length: count }, (_, n) => `a://${n}`) },
  });

  expect(readSubscriptionFilter(of(3), 3).interest.uris.size).toBe(3);
  expect(() => readSubscriptionFilter(of(4), 3)).toThrow(expect.objectContaining({ reason: 'INVALID_PARAMS' }));
});

it.each([
  [{}],
  [{ notifications: null }],
  [{ notifications: [] }],
  [{ notifications: { toolsListChanged: 'yes' } }],
  [{ notifications: { resourcesListChanged: 1 } }],
  [{ notifications: { resourceSubscriptions: 'a://1' } }],
  [{ notifications: { resourceSubscriptions: [1] } }],
])('refuses %j', (params) => {
  expect(() => readSubscriptionFilter(params, 10)).toThrow(expect.objectContaining({ code: -32602 }));
});
