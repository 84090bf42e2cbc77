import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../../support/eventually.js';
import { findOpenssl, makeCertificates } from '../../support/redis/certificates.js';
import { findRedisServer } from '../../support/redis/find-redis-server.js';
import { admin, hears, open, works } from '../../support/redis/opened-clients.js';
import { startRedisSentinel } from '../../support/redis/redis-sentinel.js';
import { makeDirectory, removeDirectory } from '../../support/redis/server-process.js';

describe.skipIf(!findRedisServer())('Sentinel', () => {
  it('follows a failover, with what was subscribed', async () => {
    const sentinel = await startRedisSentinel();
    onTestFinished(() => sentinel.close());
    const clients = await open({ url: sentinel.url });
    await clients.subscriber.subscribe('rookery:a');
    await clients.commands.set('rookery:before', '1');
    await clients.commands.wait(1, 1_000);
    await sentinel.master.kill();
    await works(clients);
    expect(await clients.commands.get('rookery:before')).toBe('1');
    await hears(clients, admin(sentinel.replica), 'rookery:a');
  });

  it('goes on trying while no sentinel answers', async () => {
    const sentinel = await startRedisSentinel();
    onTestFinished(() => sentinel.close());
    await sentinel.sentinels[0]!.kill();
    const clients = await open({ url: sentinel.url });
    await eventually(() => expect(clients.errors.length).toBeGreaterThan(4));
    await expect(clients.commands.ping()).rejects.toThrow();
    await sentinel.sentinels[0]!.restart();
    await works(clients);
  });

  it('signs in at the sentinels with a password of their own', async () => {
    const sentinel = await startRedisSentinel();
    onTestFinished(() => sentinel.close());
    await admin(sentinel.sentinels[0]!).call('ACL', 'SETUSER', 'ada', 'on', '>sesame', '+@all', 'allchannels');
    await admin(sentinel.sentinels[0]!).call('ACL', 'SETUSER', 'default', 'off');
    const right = await open({ url: sentinel.url, sentinelUsername: 'ada', sentinelPassword: 'sesame' });
    await works(right);
    const wrong = await open({ url: sentinel.url, sentinelUsername: 'ada', sentinelPassword: 'hunter2' });
    await expect(wrong.commands.ping()).rejects.toThrow();
    expect(wrong.errors[0]?.error.cause).toMatchObject({ message: expect.stringMatching(/WRONGPASS/) });
    expect(inspect(wrong.errors, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });

  it.skipIf(!findOpenssl())('speaks TLS with the sentinels and with the server', async () => {
    const dir = await makeDirectory();
    onTestFinished(() => removeDirectory(dir));
    const tls = await makeCertificates(dir);
    const sentinel = await startRedisSentinel({ tls });
    onTestFinished(() => sentinel.close());
    const clients = await open({ url: sentinel.url, tlsCa: tls.ca });
    await clients.subscriber.subscribe('rookery:a');
    await hears(clients, clients.commands, 'rookery:a');
    const stranger = await open({ url: sentinel.url });
    expect(stranger.errors[0]?.error.message).toMatch(/^No sentinel can be used/);
    await expect(stranger.commands.ping()).rejects.toThrow();
  });
});
