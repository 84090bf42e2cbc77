/** Where Redis is and how to reach it. Tested with Redis 7 and Valkey 8. */
export interface RedisOptions {
  /**
   * One of
   * - `redis://[user:password@]host[:port][/database]`: one server, port 6379 and database 0 if not given;
   * - `unix://[user:password@]/path/to/redis.sock[?db=0]`: one server on this machine;
   * - `redis+sentinel://[user:password@]host[:port],host[:port]/master-name[?db=0]`: the sentinels, port 26379 if not
   *   given, that know the master; user and password are the master's;
   * - `redis+cluster://[user:password@]host[:port],host[:port]`: some nodes of a Redis Cluster, which name the others.
   *
   * `rediss`, `rediss+sentinel` and `rediss+cluster` speak TLS, to sentinels too, and always check the certificate.
   * An IPv6 address stands in brackets; in user and password percent-encode whatever is not a letter or a digit.
   */
  readonly url: string;
  /** ACL user. Wins over the one in the URL. Default: that one, or Redis' user `default`. */
  readonly username?: string;
  /** Wins over the one in the URL, which may then be public. */
  readonly password?: string;
  /** ACL user at the sentinels. Default: their user `default`. */
  readonly sentinelUsername?: string;
  /** Password at the sentinels. Default: none, whatever the one of the master is. */
  readonly sentinelPassword?: string;
  /** Certificates of the CAs to trust, as PEM text, in place of those that Node trusts. Needs a URL that speaks TLS. */
  readonly tlsCa?: string;
  /**
   * Name that the certificates must be for, also asked for by SNI. Default: the host that is connected to. For a cluster
   * whose nodes announce addresses that their certificates do not hold.
   */
  readonly tlsServername?: string;
  /** What the names of all keys and channels begin with. Default `rookery:`. */
  readonly keyPrefix?: string;
  /** Milliseconds until a command without an answer has failed; it may have run all the same. Default 1,000. */
  readonly commandTimeoutMs?: number;
  /** Milliseconds that making a connection may take, before signing in. Default 2,000. */
  readonly connectTimeoutMs?: number;
}

export const DEFAULT_KEY_PREFIX = 'rookery:';
export const DEFAULT_COMMAND_TIMEOUT_MS = 1_000;
export const DEFAULT_CONNECT_TIMEOUT_MS = 2_000;
