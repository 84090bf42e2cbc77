import { isIPv6 } from 'node:net';

export interface RedisEndpoint {
  readonly host: string;
  readonly port: number;
}

interface RedisAccess {
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

export interface StandaloneTarget extends RedisAccess {
  readonly kind: 'standalone';
  readonly address: RedisEndpoint | { readonly path: string };
  readonly db: number;
}

export interface SentinelTarget extends RedisAccess {
  readonly kind: 'sentinel';
  readonly sentinels: readonly RedisEndpoint[];
  /** Name under which the sentinels know the master. */
  readonly master: string;
  readonly db: number;
}

export interface ClusterTarget extends RedisAccess {
  readonly kind: 'cluster';
  readonly nodes: readonly RedisEndpoint[];
}

export type RedisTarget = StandaloneTarget | SentinelTarget | ClusterTarget;

interface Form {
  readonly example: string;
  readonly tls: boolean;
  readonly parse: (parts: UrlParts, access: RedisAccess) => RedisTarget;
}

interface UrlParts {
  readonly hosts: string;
  /** With its slash; empty if there is none. */
  readonly path: string;
  readonly query: string;
}

const FORMS: Readonly<Record<string, Form>> = {
  redis: { example: 'redis://127.0.0.1:6379/0', tls: false, parse: parseStandalone },
  rediss: { example: 'rediss://redis.example.com:6379/0', tls: true, parse: parseStandalone },
  unix: { example: 'unix:///run/redis/redis.sock?db=0', tls: false, parse: parseSocket },
  'redis+sentinel': { example: 'redis+sentinel://s1:26379,s2:26379/mymaster?db=0', tls: false, parse: parseSentinel },
  'rediss+sentinel': { example: 'rediss+sentinel://s1:26379,s2:26379/mymaster?db=0', tls: true, parse: parseSentinel },
  'redis+cluster': { example: 'redis+cluster://node1:6379,node2:6379', tls: false, parse: parseCluster },
  'rediss+cluster': { example: 'rediss+cluster://node1:6379,node2:6379', tls: true, parse: parseCluster },
};

/** The last "@" before the path ends the credentials: one in a password is tolerated, "/", "?" and "#" cannot be. */
const PARTS =
  /^(?<scheme>[a-z+]+):\/\/(?:(?<credentials>[^/?#]*)@)?(?<hosts>[^/?#@]*)(?<path>\/[^?#]*)?(?:\?(?<query>.*))?$/;

/**
 * Reads a URL of one of the forms that RedisOptions lists.
 * @throws Error that says what is wrong and shows a right one, and repeats nothing of the URL: the password may have
 * ended up in any part of it
 */
export function parseRedisUrl(url: string): RedisTarget {
  const scheme = url.slice(0, Math.max(url.indexOf('://'), 0));
  const form = Object.hasOwn(FORMS, scheme) ? FORMS[scheme] : undefined;
  if (!form) {
    const schemes = Object.keys(FORMS).map((known) => `${known}://`);
    throw new Error(`The Redis URL must begin with one of ${schemes.join(', ')}, as in ${FORMS['redis']!.example}.`);
  }
  try {
    const { credentials, hosts = '', path = '', query = '' } = partsOf(url);
    return form.parse({ hosts, path, query }, { tls: form.tls, ...parseCredentials(credentials) });
  } catch (error) {
    if (!(error instanceof Flaw)) throw error;
    throw new Error(`The Redis URL is not usable: ${error.message}. It must look like ${form.example}.`, {
      cause: error,
    });
  }
}

/** What is wrong with a URL. */
class Flaw extends Error {}

function partsOf(url: string): Record<string, string | undefined> {
  const parts = PARTS.exec(url)?.groups;
  if (!parts || /[\s#]/.test(url) || `${parts['path']}${parts['query']}`.includes('@')) {
    throw new Flaw('spaces, and "/", "?", "#" and "@" in a user or password, must be percent-encoded');
  }
  return parts;
}

function parseCredentials(credentials: string | undefined): { username?: string; password?: string } {
  if (credentials === undefined) return {};
  const colon = credentials.indexOf(':');
  const username = decode(colon < 0 ? credentials : credentials.slice(0, colon));
  const password = colon < 0 ? '' : decode(credentials.slice(colon + 1));
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) };
}

function parseStandalone({ hosts, path, query }: UrlParts, access: RedisAccess): StandaloneTarget {
  if (hosts.includes(',')) throw new Flaw('several hosts need the scheme of a cluster or of sentinels');
  refuseParameters(query, []);
  const db = path === '' || path === '/' ? 0 : parseDatabase(path.slice(1));
  return { kind: 'standalone', ...access, address: parseEndpoint(hosts, 6379), db };
}

function parseSocket({ hosts, path, query }: UrlParts, access: RedisAccess): StandaloneTarget {
  if (hosts !== '') throw new Flaw('a socket has no host: three slashes stand before its path');
  if (path.length < 2) throw new Flaw('the path of the socket is missing');
  return { kind: 'standalone', ...access, address: { path: decode(path) }, db: databaseParameter(query) };
}

function parseSentinel({ hosts, path, query }: UrlParts, access: RedisAccess): SentinelTarget {
  const master = decode(path.slice(1));
  if (!/^[\w.-]+$/.test(master)) throw new Flaw('the name of the master must stand behind the sentinels');
  return { kind: 'sentinel', ...access, sentinels: parseEndpoints(hosts, 26379), master, db: databaseParameter(query) };
}

function parseCluster({ hosts, path, query }: UrlParts, access: RedisAccess): ClusterTarget {
  if (path.length > 1) throw new Flaw('a Redis Cluster has one database only, so no path can follow its nodes');
  refuseParameters(query, []);
  return { kind: 'cluster', ...access, nodes: parseEndpoints(hosts, 6379) };
}

function parseEndpoints(hosts: string, defaultPort: number): RedisEndpoint[] {
  return hosts.split(',').map((host) => parseEndpoint(host, defaultPort));
}

function parseEndpoint(text: string, defaultPort: number): RedisEndpoint {
  const { v6, name, port } = /^(?:\[(?<v6>[^[\]]*)\]|(?<name>[\w.-]+))(?::(?<port>.*))?$/.exec(text)?.groups ?? {};
  const host = v6 ?? name;
  if (host === undefined || (v6 !== undefined && !isIPv6(v6))) {
    throw new Flaw('a host is missing, or is neither a name nor an IPv4 address nor an IPv6 address in brackets');
  }
  if (port === undefined) return { host, port: defaultPort };
  const number = Number(port);
  if (!/^\d{1,5}$/.test(port) || number < 1 || number > 65_535) throw new Flaw('a port must be from 1 to 65535');
  return { host, port: number };
}

function databaseParameter(query: string): number {
  const db = refuseParameters(query, ['db']).get('db');
  return db === null ? 0 : parseDatabase(db);
}

function parseDatabase(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new Flaw('the database must be a number');
  return Number(text);
}

function refuseParameters(query: string, known: readonly string[]): URLSearchParams {
  const parameters = new URLSearchParams(query);
  const names = [...parameters.keys()];
  if (names.some((name) => !known.includes(name)) || new Set(names).size < names.length) {
    throw new Flaw(known.length > 0 ? `it takes no parameter but one ${known.join()}` : 'it takes no parameters');
  }
  return parameters;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Flaw('a "%" must begin a percent-encoded character; "%" itself is %25');
  }
}
