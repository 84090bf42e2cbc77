import { Redis } from 'ioredis';
import { expect, inject, it, onTestFinished } from 'vitest';
import { createMcpTestApp } from '../../../src/testing.js';
import { eventually } from '../../support/eventually.js';
import { startRedisServer } from '../../support/redis/redis-server.js';

it.skipIf(!inject('redisUrl'))('the key of request state is put back when Redis has lost its data', async () => {
  const server = await startRedisServer();
  onTestFinished(() => server.close());
  const admin = new Redis(server.url);
  onTestFinished(() => admin.disconnect());
  class EmptyModule {}
  await using _ = await createMcpTestApp(EmptyModule, { options: { redis: { url: server.url } }, logger: false });
  const secret = (): Promise<string | null> => admin.get('rookery:secret:request-state');
  await eventually(async () => expect(await secret()).not.toBeNull());
  const before = await secret();

  await admin.flushall();
  // As it is when Redis comes back: the replica has to connect anew, and looks at everything again.
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');

  await eventually(async () => expect(await secret()).toBe(before));
});
