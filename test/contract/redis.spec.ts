import { describe, inject } from 'vitest';
import { describeChangeBus } from './change-bus.contract.js';
import { describeEventLog } from './event-log.contract.js';
import { describeMailbox } from './mailbox.contract.js';
import { redisChangeBus, redisEventLog, redisMailbox, redisSessionStore, redisTokenBuckets } from './redis.harness.js';
import { describeSessionStore } from './session-store.contract.js';
import { describeTokenBuckets } from './token-buckets.contract.js';

const backends = [
  ['redis', inject('redisUrl') ?? ''],
  ['redis cluster', inject('redisClusterUrl') ?? ''],
] as const;

describe.each(backends)('on %s', (name, url) => {
  describe.skipIf(url === '')('', () => {
    describeSessionStore(name, (limits) => redisSessionStore(url, limits));
    describeEventLog(name, (limits) => redisEventLog(url, limits));
    describeChangeBus(name, (limits) => redisChangeBus(url, limits));
    describeMailbox(name, () => redisMailbox(url));
    describeTokenBuckets(name, (limits) => redisTokenBuckets(url, limits));
  });
});
