import { type BucketSpec, TOKEN_TOLERANCE, type TokenBuckets, type Verdict } from '../../limits/token-buckets.port.js';
import { LuaScript } from './lua-script.js';
import type { ReplicaLink } from './replica-link.js';

export interface RedisTokenBucketsOptions {
  /** Epoch milliseconds. Default: the clock of the Redis server, by which all replicas go. */
  readonly now?: () => number;
}

/**
 * Takes from all buckets, or from none. A bucket is a text, `<tokens> <epoch milliseconds>`: what was in it when
 * something was taken last. It lapses when it is full again. A call that is refused writes nothing.
 *
 * KEYS[...] buckets
 * ARGV[1] epoch milliseconds, or '' for the clock of the server  ARGV[2] tokens that may be missing by rounding
 * ARGV[3...] of each bucket: capacity, tokens that come back in a millisecond, tokens to take
 * Returns {} if they were taken; otherwise {place of the bucket that takes longest to have enough, from 0, milliseconds
 * that it takes}.
 */
const TAKE = new LuaScript(
  'rookeryTokensTake',
  `
local now, tolerance = clock(ARGV[1]), tonumber(ARGV[2])

local function keep(key, tokens, capacity, refill)
  local rest = math.max(1, math.ceil((capacity - tokens) / refill))
  -- Redis lapses keys by its own clock: where another one is given, they must not lapse early.
  if ARGV[1] ~= '' then rest = math.max(rest, 60000) end
  redis.call('SET', key, string.format('%.17g %.0f', tokens, now), 'PX', int(rest))
end

local buckets, refused, wait = {}, nil, 0
local stored = redis.call('MGET', unpack(KEYS))
for i, key in ipairs(KEYS) do
  local capacity, refill, cost = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1]), tonumber(ARGV[3 * i + 2])
  local tokens = capacity
  if stored[i] then
    local left, at = string.match(stored[i], '^(%S+) (%S+)$')
    at = tonumber(at)
    tokens = math.min(capacity, left + math.max(0, now - at) * refill)
    -- The clock was set back: go by it from now on, or nothing would come back until it is there again.
    if at > now then keep(key, tokens, capacity, refill) end
  end
  local missing = cost - tokens
  if missing > tolerance then
    local due = math.max(1, math.ceil((missing - tolerance) / refill))
    if due > wait then refused, wait = i, due end
  end
  buckets[i] = {tokens = math.max(0, tokens - cost), capacity = capacity, refill = refill}
end
if refused then return {refused - 1, wait} end

for i, key in ipairs(KEYS) do keep(key, buckets[i].tokens, buckets[i].capacity, buckets[i].refill) end
return {}
`,
);

/**
 * The token buckets of all replicas, by one clock and in one step a call.
 *
 * All of them have one hash tag, since a call takes from several at once (its principal's, its tenant's, its tool's):
 * in a cluster they lie on one shard, which then sees one short script for each call that has limits.
 */
export class RedisTokenBuckets implements TokenBuckets {
  readonly #link: ReplicaLink;
  readonly #prefix: string;
  readonly #now: (() => number) | undefined;

  constructor(link: ReplicaLink, options: RedisTokenBucketsOptions = {}) {
    this.#link = link;
    this.#prefix = `${link.keys.prefix}{limits}:`;
    this.#now = options.now;
  }

  /** @throws McpError `UNAVAILABLE` */
  async take(buckets: readonly BucketSpec[]): Promise<Verdict> {
    if (buckets.length === 0) return { allowed: true };
    const keys = buckets.map(({ key }) => `${this.#prefix}${key}`);
    const args = buckets.flatMap(({ capacity, refillPerMs, cost }) => [capacity, refillPerMs, cost]);
    const reply = await this.#link.run(TAKE, keys, [this.#now?.() ?? '', TOKEN_TOLERANCE, ...args]);
    const refusal = reply as readonly [] | readonly [number, number];
    return refusal.length === 0 ? { allowed: true } : { allowed: false, index: refusal[0], retryAfterMs: refusal[1] };
  }
}
