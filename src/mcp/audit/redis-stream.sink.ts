import type { AuditPlace, AuditSink } from './audit-sink.port.js';

/**
 * Adds lines to a stream, each once, however often they are sent: a command that timed out may still have run.
 *
 * KEYS[1] stream  KEYS[2] place of the chain: how far it was written
 * ARGV[1] about how many entries the stream keeps  ARGV[2] milliseconds the place is kept  ARGV[3] seq of the first line
 * ARGV[4...] lines
 * Returns how many were added.
 */
export const APPEND_AUDIT_LINES = `
local nextSeq = tonumber(redis.call('GET', KEYS[2]) or '0')
local first = tonumber(ARGV[3])
local added = 0
for i = 4, #ARGV do
  if first + i - 4 >= nextSeq then
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'entry', ARGV[i])
    added = added + 1
  end
end
if added > 0 then
  redis.call('SET', KEYS[2], string.format('%.0f', first + #ARGV - 3), 'PX', ARGV[2])
end
return added
`;

export interface RedisStreamSinkOptions {
  /** Runs {@link APPEND_AUDIT_LINES} with these KEYS and ARGV; rejects if it is not known to have run. */
  readonly append: (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
  /** What the names of the keys begin with, such as `rookery:`. No braces. */
  readonly keyPrefix: string;
  /** About how many entries the stream keeps, of all replicas. Default 1,000,000. */
  readonly maxLength?: number;
}

/** A write is tried again for as long at most before its lines might be there twice. */
const PLACE_MS = 24 * 60 * 60_000;

/** Adds lines to one stream that all replicas share, in the field `entry`. One command a batch. */
export class RedisStreamSink implements AuditSink {
  readonly name = 'redis';
  /** Name of the stream. */
  readonly key: string;
  readonly #append: RedisStreamSinkOptions['append'];
  readonly #maxLength: number;

  /** @throws Error if the length is no whole number from 1 */
  constructor(options: RedisStreamSinkOptions) {
    this.#append = options.append;
    this.#maxLength = options.maxLength ?? 1_000_000;
    if (!Number.isSafeInteger(this.#maxLength) || this.#maxLength < 1) {
      throw new Error('The stream of the audit must keep a whole number of entries, 1 at least.');
    }
    // One hash tag: both keys are in one slot of a cluster.
    this.key = `${options.keyPrefix}{audit}:log`;
  }

  async write(lines: readonly string[], { chain, seq }: AuditPlace): Promise<void> {
    const place = this.key.replace(/log$/, `at:${chain}`);
    await this.#append([this.key, place], [this.#maxLength, PLACE_MS, seq, ...lines]);
  }
}
