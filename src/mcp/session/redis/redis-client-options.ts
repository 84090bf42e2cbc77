import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { ClusterOptions, RedisOptions as AllOptions } from 'ioredis';
import { DEFAULT_COMMAND_TIMEOUT_MS, DEFAULT_CONNECT_TIMEOUT_MS, type RedisOptions } from './redis-options.js';
import type { RedisTarget } from './redis-url.js';

type AddressOptions = Omit<AllOptions, 'replyMapping'>;
export type ClientOptions = AddressOptions & { readonly replyMapping: 'legacy' };

/** A connection on which an answer is due and nothing comes for so many command timeouts is dead. */
const SILENT_TIMEOUTS = 5;
/** How long a server may take to close a connection that we have ended. */
const DISCONNECT_TIMEOUT_MS = 250;

/** How ioredis is to behave on every connection, whatever Redis is. */
export function clientOptions(target: RedisTarget, options: RedisOptions, connectionName: string): ClientOptions {
  const username = options.username ?? target.username;
  const password = options.password ?? target.password;
  if (username !== undefined && password === undefined) {
    throw new Error('Redis has a user but no password: give one, in the URL or beside it.');
  }
  return {
    lazyConnect: true,
    connectionName,
    // Replies of one shape, whichever protocol the server speaks.
    replyMapping: 'legacy',
    // Or every connection tells the server the name of the library too, which takes a permission for nothing.
    disableClientInfo: true,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(target.tls && { tls: tlsOptions(options) }),
    commandTimeout: commandTimeoutMs(options),
    connectTimeout: connectTimeoutMs(options),
    socketTimeout: silenceMs(options),
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    // Nothing may run twice: what was under way when a connection was lost has failed.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // RedisConnection and RedisSubscriber do these two.
    retryStrategy: null,
    autoResubscribe: false,
    // An old master has become a replica: the next connection finds the new one. Scripts name the error in their own.
    reconnectOnError: (error) => /\bREADONLY\b/.test(error.message),
    maxLoadingRetryTime: 500,
  };
}

/** Where a client that is no cluster's connects to. */
export function addressOptions(
  target: Exclude<RedisTarget, { kind: 'cluster' }>,
  options: RedisOptions,
): AddressOptions {
  if (target.kind === 'standalone') {
    const { address, db, tls } = target;
    return { ...address, db, ...(tls && 'host' in address && { tls: tlsOptions(options, address.host) }) };
  }
  const { sentinelUsername, sentinelPassword } = options;
  return {
    sentinels: target.sentinels.map((sentinel) => ({ ...sentinel })),
    name: target.master,
    db: target.db,
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
    ...(target.tls && { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(options) }),
    sentinelCommandTimeout: connectAndAskMs(options),
    // RedisConnection does it.
    sentinelRetryStrategy: () => null,
  };
}

/** What a cluster has beyond its connections. */
export function clusterOptions(options: RedisOptions): ClusterOptions {
  return {
    lazyConnect: true,
    // RedisConnection does it.
    clusterRetryStrategy: null,
    // A node that is connected to for the first time gets its commands late, instead of refusing them. The client
    // itself must be a FailFastCluster: its own queue would keep commands for as long as the cluster is away.
    enableOfflineQueue: true,
    // Resends what was under way when a node was lost, which may have run: never.
    retryDelayOnFailover: 0,
    // These were refused by the cluster, so they may be sent again, for about half a second.
    maxRedirections: 5,
    retryDelayOnClusterDown: 100,
    retryDelayOnTryAgain: 100,
    slotsRefreshTimeout: connectAndAskMs(options),
    // Slots that moved are found by the first command; this is for nodes that left, from which no message comes.
    slotsRefreshInterval: 10_000,
    // Leave names to the connection: it tries all addresses of a name, and TLS needs the name.
    dnsLookup: (name, found) => found(null, name),
  };
}

/** For so many milliseconds a connection may be silent while an answer is due; as often, one that is idle is asked. */
export function silenceMs(options: RedisOptions): number {
  return SILENT_TIMEOUTS * commandTimeoutMs(options);
}

/**
 * What a connection for one question may take. Not less, or ioredis ends it in the middle of a TLS handshake; one that is
 * going to fail then fails twice, and the second error, which nobody listens for, ends the process.
 */
function connectAndAskMs(options: RedisOptions): number {
  return connectTimeoutMs(options) + 2 * commandTimeoutMs(options);
}

function connectTimeoutMs(options: RedisOptions): number {
  return options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS;
}

function commandTimeoutMs(options: RedisOptions): number {
  return options.commandTimeoutMs ?? DEFAULT_COMMAND_TIMEOUT_MS;
}

/** @param host that is connected to, where one is known beforehand */
export function tlsOptions({ tlsCa, tlsServername }: RedisOptions, host?: string): TlsOptions {
  const servername = tlsServername ?? (host !== undefined && isIP(host) === 0 ? host : undefined);
  return {
    // Said, so that NODE_TLS_REJECT_UNAUTHORIZED cannot unsay it.
    rejectUnauthorized: true,
    ...(tlsCa !== undefined && { ca: tlsCa }),
    ...(servername !== undefined && { servername }),
  };
}

/** @throws Error when the certificates cannot be used: better now than at every attempt to connect */
export function checkTlsCa({ tls }: RedisTarget, { tlsCa }: RedisOptions): void {
  if (tlsCa === undefined) return;
  if (!tls) throw new Error('Redis has a CA but a URL that does not speak TLS: use rediss://, or leave the CA out.');
  try {
    new X509Certificate(tlsCa);
  } catch (cause) {
    throw new Error('The CA for Redis must be PEM text that begins with -----BEGIN CERTIFICATE-----.', { cause });
  }
}
