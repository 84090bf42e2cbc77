import { describe, expect, it } from 'vitest';
import { parseRedisUrl } from './redis-url.js';

describe('parseRedisUrl', () => {
  it.each([
    ['redis://localhost', { address: { host: 'localhost', port: 6379 }, db: 0, tls: false }],
    ['redis://10.0.0.1:6380/', { address: { host: '10.0.0.1', port: 6380 }, db: 0, tls: false }],
    ['rediss://cache_1.example.com/12', { address: { host: 'cache_1.example.com', port: 6379 }, db: 12, tls: true }],
    ['redis://[::1]:7000/1', { address: { host: '::1', port: 7000 }, db: 1, tls: false }],
    ['redis://[fe80::1]', { address: { host: 'fe80::1', port: 6379 }, db: 0, tls: false }],
    ['unix:///run/redis%20one.sock', { address: { path: '/run/redis one.sock' }, db: 0, tls: false }],
    ['unix:///run/redis.sock?db=3', { address: { path: '/run/redis.sock' }, db: 3, tls: false }],
  ])('reads %s as one server', (url, target) => {
    expect(parseRedisUrl(url)).toEqual({ kind: 'standalone', ...target });
  });

  it.each([
    ['redis+sentinel://s1/main', { sentinels: [{ host: 's1', port: 26379 }], master: 'main', db: 0, tls: false }],
    [
      'rediss+sentinel://s1:1,[::1]:2,s3/my-master.1?db=5',
      {
        sentinels: [
          { host: 's1', port: 1 },
          { host: '::1', port: 2 },
          { host: 's3', port: 26379 },
        ],
        master: 'my-master.1',
        db: 5,
        tls: true,
      },
    ],
  ])('reads %s as sentinels', (url, target) => {
    expect(parseRedisUrl(url)).toEqual({ kind: 'sentinel', ...target });
  });

  it.each([
    ['redis+cluster://n1', { nodes: [{ host: 'n1', port: 6379 }], tls: false }],
    [
      'rediss+cluster://[::1]:7000,10.0.0.2:7001/',
      {
        nodes: [
          { host: '::1', port: 7000 },
          { host: '10.0.0.2', port: 7001 },
        ],
        tls: true,
      },
    ],
  ])('reads %s as a cluster', (url, target) => {
    expect(parseRedisUrl(url)).toEqual({ kind: 'cluster', ...target });
  });

  it.each([
    ['redis://user:secret@h', { username: 'user', password: 'secret' }],
    ['redis://:secret@h', { password: 'secret' }],
    ['redis://user@h', { username: 'user' }],
    ['redis://user:@h', { username: 'user' }],
    ['redis://@h', {}],
    ['redis://u%40x:p%2Fa%3As%3F%23%25@h', { username: 'u@x', password: 'p/a:s?#%' }],
    ['redis://u:a:b@h', { username: 'u', password: 'a:b' }],
    ['redis://u:a@b@h', { username: 'u', password: 'a@b' }],
    ['unix://u:p@/run/redis.sock', { username: 'u', password: 'p' }],
    ['redis+sentinel://u:p@h/m', { username: 'u', password: 'p' }],
    ['rediss+cluster://u:p@h,i', { username: 'u', password: 'p' }],
  ])('reads the credentials of %s', (url, credentials) => {
    const { username, password } = parseRedisUrl(url);
    expect({ username, password }).toEqual({ username: undefined, password: undefined, ...credentials });
  });

  it.each([
    ['', 'must begin with one of redis://'],
    ['localhost:6379', 'must begin with one of redis://'],
    ['http://localhost', 'must begin with one of redis://'],
    ['REDIS://localhost', 'must begin with one of redis://'],
    ['constructor://localhost', 'must begin with one of redis://'],
    ['redis://', 'a host is missing'],
    ['redis://:6379', 'a host is missing'],
    ['redis://::1:6379', 'IPv6 address in brackets'],
    ['redis://[::1', 'IPv6 address in brackets'],
    ['redis://[nonsense]', 'IPv6 address in brackets'],
    ['redis://h:0', 'a port must be from 1 to 65535'],
    ['redis://h:65536', 'a port must be from 1 to 65535'],
    ['redis://h:1e3', 'a port must be from 1 to 65535'],
    ['redis://h:', 'a port must be from 1 to 65535'],
    ['redis://h/x', 'the database must be a number'],
    ['redis://h/-1', 'the database must be a number'],
    ['redis://h/1/2', 'the database must be a number'],
    ['redis://h,i', 'several hosts need the scheme of a cluster or of sentinels'],
    ['redis://h?db=1', 'it takes no parameters'],
    ['redis://h#1', 'must be percent-encoded'],
    ['redis://h i', 'must be percent-encoded'],
    ['redis://u:%zz@h', 'a "%" must begin a percent-encoded character'],
    ['unix://h/run/redis.sock', 'a socket has no host'],
    ['unix:///', 'the path of the socket is missing'],
    ['unix:///a.sock?db=a', 'the database must be a number'],
    ['redis+sentinel://s1', 'the name of the master must stand behind the sentinels'],
    ['redis+sentinel://s1/', 'the name of the master must stand behind the sentinels'],
    ['redis+sentinel://s1/a/b', 'the name of the master must stand behind the sentinels'],
    ['redis+sentinel:///main', 'a host is missing'],
    ['redis+sentinel://s1,/main', 'a host is missing'],
    ['redis+sentinel://s1/main?db=1&db=2', 'it takes no parameter but one db'],
    ['redis+sentinel://s1/main?quorum=2', 'it takes no parameter but one db'],
    ['redis+cluster://n1/0', 'a Redis Cluster has one database only'],
    ['redis+cluster://n1?db=1', 'it takes no parameters'],
  ])('refuses %j', (url, flaw) => {
    expect(() => parseRedisUrl(url)).toThrow(flaw);
  });

  it('shows a URL of the form that was meant', () => {
    expect(() => parseRedisUrl('rediss+cluster://')).toThrow(
      'It must look like rediss+cluster://node1:6379,node2:6379.',
    );
  });

  it.each([
    'redis://user:hunter2@host:port',
    'redis://user:hunter2@',
    'redis://user:hunter2@host/db',
    'redis://user:hunter2@host?hunter2=1',
    'redis://user:hunter2',
    'redis://user:hun/ter2@host',
    'redis://user:x/hunter2@host',
    'redis://user:x?hunter2@host',
    'redis://user:x#hunter2@host',
    'redis://user:x hunter2@host',
    'redis://user:hunter2%@host',
    'redis+sentinel://user:x/hunter2@host/main',
    'redis+cluster://user:x/hunter2@host',
    'hunter2',
  ])('repeats nothing of %j in its error', (url) => {
    let thrown: unknown;
    try {
      parseRedisUrl(url);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Error);
    const { message, stack } = thrown as Error;
    expect(`${message}${stack?.replaceAll(/redis-url\.spec.*/g, '')}`).not.toMatch(/hunter2|ter2/);
  });
});
