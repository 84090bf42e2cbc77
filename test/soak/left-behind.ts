import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** What is still being written when a session is deleted has this long to come to its end. Milliseconds. */
const SETTLED_MS = 1_000;

/** Names of keys in Redis that belong to sessions which have been deleted. */
export async function leftBehind(redisUrl: string, sessionIds: readonly string[]): Promise<string[]> {
  await delay(SETTLED_MS);
  const redis = new Redis(redisUrl);
  try {
    const deleted = new Set(sessionIds);
    const keys = await redis.keys('*');
    const indexed = await redis.zrange('rookery:sessions', '0', '-1');
    return [
      ...keys.filter((key) => deleted.has(/\{(.+)\}/.exec(key)?.[1] ?? '')),
      ...indexed.filter((id) => deleted.has(id)).map((id) => `${id} in rookery:sessions`),
    ];
  } finally {
    redis.disconnect();
  }
}
