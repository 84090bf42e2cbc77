import { once } from 'node:events';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRedisClients } from '../../../src/mcp/session/redis/redis-clients.js';
import type { RedisOptions } from '../../../src/mcp/session/redis/redis-options.js';
import { eventually } from '../../support/eventually.js';
import { findOpenssl, makeCertificates } from '../../support/redis/certificates.js';
import { findRedisServer } from '../../support/redis/find-redis-server.js';
import { ACL, admin, create, hears, open, start, works } from '../../support/redis/opened-clients.js';
import { type RedisServer, startRedisServer } from '../../support/redis/redis-server.js';
import { freePort } from '../../support/free-port.js';
import { makeDirectory, removeDirectory } from '../../support/redis/server-process.js';

const hasServer = findRedisServer() !== undefined;

describe.skipIf(!hasServer)('signing in', () => {
  it('takes the credentials of the URL', async () => {
    const { port } = await start({ args: ['--requirepass', 's@cret'] });
    const { commands, subscriber } = await open({ url: `redis://:s%40cret@127.0.0.1:${port}` });
    expect(await commands.ping()).toBe('PONG');
    expect(await subscriber.subscribe('rookery:a')).toBe(1);
  });

  it('prefers the credentials beside the URL', async () => {
    const server = await start();
    await admin(server).call('ACL', 'SETUSER', 'ada', 'on', '>secret', '+@all', '~*', '&*');
    const url = `redis://nobody:wrong@127.0.0.1:${server.port}`;
    const { commands } = await open({ url, username: 'ada', password: 'secret' });
    expect(await commands.call('ACL', 'WHOAMI')).toBe('ada');
  });

  it('says that the password is wrong, without the password', async () => {
    const { url } = await start({ args: ['--requirepass', 'secret'] });
    const { commands, errors } = await open({ url, password: 'hunter2' });
    await expect(commands.ping()).rejects.toThrow();
    expect(errors).toContainEqual({
      which: 'commands',
      error: expect.objectContaining({ message: expect.stringMatching(/^WRONGPASS/) }),
    });
    expect(inspect(errors, { depth: 9, showHidden: true })).not.toContain('hunter2');
  });

  it('selects the database', async () => {
    const server = await start();
    const { commands } = await open({ url: `${server.url}/3` });
    await commands.set('a', '1');
    const other = admin(server);
    await other.select(3);
    expect(await other.get('a')).toBe('1');
  });

  it('has names that an operator recognises', async () => {
    const server = await start();
    await open({ url: server.url });
    const list = String(await admin(server).client('LIST'));
    expect(list.match(/(?<= name=)\S+/g)?.sort()).toEqual(['rookery-commands', 'rookery-subscriber']);
  });

  it('is content with a user who can reach nothing but its own names', async () => {
    const server = await start();
    const operator = admin(server);
    await operator.call('ACL', 'SETUSER', 'rookery', ...ACL);
    const clients = await open({ url: server.url, username: 'rookery', password: 'secret' });
    const { commands, subscriber } = clients;
    await subscriber.subscribe('rookery:all');

    const script = `
      redis.call('HSET', KEYS[1], 'field', redis.call('TIME')[1]) redis.call('PEXPIRE', KEYS[1], 60000)
      redis.call('ZADD', KEYS[2], 1, 'member') redis.call('XADD', KEYS[3], '*', 'field', 'value')
      redis.call('SADD', KEYS[4], 'member') redis.call('PUBLISH', ARGV[1], 'hello')
      return redis.call('XLEN', KEYS[3])`;
    const keys = ['rookery:hash', 'rookery:zset', 'rookery:stream', 'rookery:set'];
    expect(await commands.eval(script, keys.length, ...keys, 'rookery:all')).toBe(1);
    expect(await commands.set('rookery:alive', '1', 'PX', 60_000, 'NX')).toBe('OK');
    await eventually(() => expect(clients.heard).toEqual(['hello']));
    expect(await operator.call('ACL', 'LOG')).toEqual([]);
    expect(clients.errors).toEqual([]);

    await expect(commands.get('other')).rejects.toThrow('NOPERM');
    await expect(commands.publish('other', '')).rejects.toThrow('NOPERM');
    await expect(subscriber.subscribe('other')).rejects.toThrow('NOPERM');
    await expect(commands.flushall()).rejects.toThrow('NOPERM');
    await expect(commands.keys('*')).rejects.toThrow('NOPERM');
  });
});

describe.skipIf(!hasServer)('a server that is away', () => {
  it('fails a command, and works again once it is back, by itself', async () => {
    const server = await start();
    const clients = await open({ url: server.url });
    await clients.subscriber.subscribe('rookery:a');
    await server.kill();
    await eventually(() => expect(clients.commands.ping()).rejects.toThrow('Connection is closed.'));
    await server.restart();
    await works(clients);
    await hears(clients, clients.commands, 'rookery:a');
  });

  it('is connected to once it is there, with what was subscribed until then', async () => {
    const server = await start();
    await server.kill();
    const clients = await open({ url: server.url });
    await expect(clients.commands.ping()).rejects.toThrow();
    await expect(clients.subscriber.subscribe('rookery:a', 'rookery:b')).rejects.toThrow();
    await expect(clients.subscriber.unsubscribe('rookery:b')).rejects.toThrow();
    expect(clients.errors.map(({ which }) => which)).toEqual(expect.arrayContaining(['commands', 'subscriber']));
    await server.restart();
    await works(clients);
    await hears(clients, clients.commands, 'rookery:a');
    expect(await clients.commands.pubsub('CHANNELS')).toEqual(['rookery:a']);
  });

  it('fails commands while it hangs, and finds out on idle connections too', async () => {
    const server = await start();
    const clients = await open({ url: server.url, commandTimeoutMs: 150 });
    await clients.subscriber.subscribe('rookery:a');
    await server.kill('SIGSTOP');
    await expect(clients.commands.ping()).rejects.toThrow('Command timed out');
    await eventually(() => expect(clients.subscriber.status).not.toBe('ready'));
    await server.kill('SIGCONT');
    await works(clients);
    await hears(clients, clients.commands, 'rookery:a');
  });

  it('never runs a command twice', async () => {
    const server = await start();
    const clients = await open({ url: server.url, commandTimeoutMs: 150 });
    await server.kill('SIGSTOP');
    await expect(clients.commands.incr('rookery:counter')).rejects.toThrow('Command timed out');
    await eventually(() => expect(clients.commands.status).not.toBe('ready'));
    await server.kill('SIGCONT');
    await works(clients);
    expect(await clients.commands.get('rookery:counter')).toBe('1');
  });

  it('is left for another connection when it has become a replica', async () => {
    const server = await start();
    const operator = admin(server);
    const clients = await open({ url: server.url });
    const before = await clients.commands.client('ID');
    await operator.replicaof('127.0.0.1', await freePort());
    const script = `return redis.call('SET', KEYS[1], '1')`;
    await expect(clients.commands.eval(script, 1, 'rookery:a')).rejects.toThrow('READONLY');
    await operator.replicaof('NO', 'ONE');
    await works(clients);
    expect(await clients.commands.client('ID')).not.toBe(before);
  });
});

describe.skipIf(!hasServer)('a subscription', () => {
  it('that the server refused is not asked for again', async () => {
    const server = await start();
    const operator = admin(server);
    await operator.call('ACL', 'SETUSER', 'rookery', ...ACL);
    const clients = await open({ url: server.url, username: 'rookery', password: 'secret' });
    await clients.subscriber.subscribe('rookery:a');
    await expect(clients.subscriber.subscribe('other')).rejects.toThrow('NOPERM');
    const ended = once(clients.subscriber, 'end');
    clients.subscriber.disconnect(true);
    await ended;
    await hears(clients, operator, 'rookery:a');
    expect(clients.errors).toEqual([]);
  });

  it('that cannot be had after a reconnect is told, and tried again until it can', async () => {
    const server = await start();
    const operator = admin(server);
    await operator.call('ACL', 'SETUSER', 'rookery', ...ACL);
    const clients = await open({ url: server.url, username: 'rookery', password: 'secret' });
    await clients.subscriber.subscribe('rookery:a');
    // Ends the connections of the user that has the subscription.
    await operator.call('ACL', 'SETUSER', 'rookery', 'resetchannels');
    await eventually(() => {
      const told = {
        which: 'subscriber',
        error: expect.objectContaining({ message: expect.stringMatching(/^NOPERM/) }),
      };
      expect(clients.errors).toContainEqual(told);
    });
    await operator.call('ACL', 'SETUSER', 'rookery', '&rookery:*');
    await hears(clients, operator, 'rookery:a');
  });
});

describe.skipIf(!hasServer || !findOpenssl())('TLS', () => {
  let dir: string;
  let server: RedisServer;
  let ca: string;

  beforeAll(async () => {
    dir = await makeDirectory();
    const certificates = await makeCertificates(dir);
    ca = certificates.ca;
    server = await startRedisServer({ tls: certificates });
    return async () => {
      await server.close();
      await removeDirectory(dir);
    };
  });

  it.each(['127.0.0.1', 'localhost'])('trusts %s by the CA that it is given', async (host) => {
    const clients = await open({ url: `rediss://${host}:${server.port}`, tlsCa: ca });
    await clients.subscriber.subscribe('rookery:a');
    await hears(clients, clients.commands, 'rookery:a');
  });

  it('refuses a server of an unknown CA', async () => {
    const clients = await open({ url: server.url });
    await expect(clients.commands.ping()).rejects.toThrow();
    for (const { error } of clients.errors) expect(error.message).toMatch(/self.signed certificate|unable to verify/);
    expect(new Set(clients.errors.map(({ which }) => which)).size).toBe(2);
  });

  it('refuses a certificate for another name', async () => {
    const clients = await open({ url: server.url, tlsCa: ca, tlsServername: 'redis.example.com' });
    await expect(clients.commands.ping()).rejects.toThrow();
    expect(clients.errors[0]?.error.message).toMatch(/Host: redis.example.com. is not in the cert's altnames/);
  });

  it('can be closed in the middle of a handshake that is going to fail', async () => {
    // An error that nobody listens for fails the run.
    for (let ticks = 0; ticks < 20; ticks += 1) {
      const clients = create({ url: server.url, tlsCa: ca, tlsServername: 'redis.example.com' });
      const connecting = clients.connect();
      for (let tick = 0; tick < ticks; tick += 1) await new Promise(setImmediate);
      await clients.close();
      await connecting;
      expect(clients.commands.status).toBe('end');
    }
  });

  it('refuses an unencrypted server', async () => {
    const plain = await start();
    const clients = await open({ url: plain.url.replace('redis:', 'rediss:'), tlsCa: ca, connectTimeoutMs: 200 });
    await expect(clients.commands.ping()).rejects.toThrow();
    expect(await admin(plain).client('LIST')).not.toContain('rookery');
  });
});

describe('options that cannot work', () => {
  const refusal = (options: RedisOptions) => () => createRedisClients(options, { onError: () => undefined });

  it('are refused', () => {
    const url = 'redis://127.0.0.1';
    expect(refusal({ url: 'redis://' })).toThrow('a host is missing');
    expect(refusal({ url: 'redis://ada@127.0.0.1' })).toThrow('Redis has a user but no password');
    expect(refusal({ url, username: 'ada' })).toThrow('Redis has a user but no password');
    expect(refusal({ url, tlsCa: 'anything' })).toThrow('a URL that does not speak TLS');
    expect(refusal({ url: 'rediss://127.0.0.1', tlsCa: 'anything' })).toThrow('must be PEM text');
  });
});
