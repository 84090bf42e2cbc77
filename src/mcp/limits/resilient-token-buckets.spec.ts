import { promisify } from 'node:util';
import { expect, it, vi } from 'vitest';
import { McpError } from '../protocol/errors.js';
import { MemoryTokenBuckets } from './memory-token-buckets.js';
import { ResilientTokenBuckets } from './resilient-token-buckets.js';
import type { BucketSpec, Verdict } from './token-buckets.port.js';

const turn = promisify(setImmediate);
const ALLOWED: Verdict = { allowed: true };
const REFUSED: Verdict = { allowed: false, index: 0, retryAfterMs: 5 };
/** Three at once, and one an hour. */
const SPECS: BucketSpec[] = [{ key: 'k', capacity: 3, refillPerMs: 1 / 3_600_000, cost: 1 }];

const away = async (): Promise<Verdict> => {
  throw new McpError('UNAVAILABLE', 'Away.');
};

function resilient(shared: () => Promise<Verdict>) {
  let time = 0;
  const now = (): number => time;
  const take = vi.fn(shared);
  const logger = { log: vi.fn(), warn: vi.fn() };
  const local = new MemoryTokenBuckets({ now });
  const buckets = new ResilientTokenBuckets({ shared: { take }, local, logger, now });
  return { take, logger, buckets, advance: (ms: number) => (time += ms) };
}

it('says what the shared buckets say, whatever the local ones think', async () => {
  const { take, buckets } = resilient(async () => ALLOWED);

  for (let i = 0; i < 9; i += 1) expect(await buckets.take(SPECS)).toEqual(ALLOWED);

  take.mockResolvedValueOnce(REFUSED);
  expect(await buckets.take(SPECS)).toEqual(REFUSED);
});

it('limits locally while the shared buckets are away, and says so once', async () => {
  const { buckets, logger } = resilient(away);

  const verdicts: Verdict[] = [];
  for (let i = 0; i < 5; i += 1) verdicts.push(await buckets.take(SPECS));

  expect(verdicts.map(({ allowed }) => allowed)).toEqual([true, true, true, false, false]);
  expect(logger.warn.mock.calls).toEqual([
    ['Rate limits cannot be shared at the moment: until they can, each replica has its own.'],
  ]);
});

it('knows locally of what it let in before', async () => {
  const { take, buckets } = resilient(away);
  take.mockResolvedValueOnce(ALLOWED).mockResolvedValueOnce(ALLOWED).mockResolvedValueOnce(REFUSED);
  for (let i = 0; i < 3; i += 1) await buckets.take(SPECS);

  expect(await buckets.take(SPECS)).toEqual(ALLOWED);
  expect(await buckets.take(SPECS)).toMatchObject({ allowed: false });
});

it('waits for nobody while the shared buckets are away, and tries them once in a while', async () => {
  const { take, buckets, advance } = resilient(away);
  await buckets.take(SPECS);
  take.mockImplementation(() => new Promise(() => undefined));

  expect(buckets.take(SPECS)).toEqual(ALLOWED);
  expect(take).toHaveBeenCalledTimes(1);
  advance(1_000);
  expect(buckets.take(SPECS)).toEqual(ALLOWED);
  advance(60_000);
  expect(buckets.take(SPECS)).toMatchObject({ allowed: false });
  expect(take).toHaveBeenCalledTimes(2);
});

it('tries again after a try that failed, and goes back to the shared buckets, which it says once', async () => {
  const { take, buckets, logger, advance } = resilient(away);
  await buckets.take(SPECS);
  advance(1_000);
  await buckets.take(SPECS);
  await turn();
  expect(buckets.isLocal).toBe(true);

  take.mockImplementation(async () => REFUSED);
  advance(1_000);
  await buckets.take(SPECS);
  await turn();

  expect(buckets.isLocal).toBe(false);
  expect(await buckets.take(SPECS)).toEqual(REFUSED);
  expect(logger.log.mock.calls).toEqual([['Rate limits are shared by all replicas again.']]);
});

it('does not go away again for a failure from before it came back', async () => {
  const { take, buckets, logger, advance } = resilient(away);
  let failLate: (error: unknown) => void = () => undefined;
  take.mockImplementationOnce(() => new Promise((_, reject) => (failLate = reject)));
  const late = buckets.take(SPECS);
  await buckets.take(SPECS);
  take.mockImplementation(async () => ALLOWED);
  advance(1_000);
  await buckets.take(SPECS);
  await turn();

  failLate(new McpError('UNAVAILABLE', 'Away.'));

  expect(await late).toEqual(ALLOWED);
  expect(buckets.isLocal).toBe(false);
  expect(logger.warn).toHaveBeenCalledOnce();
});

it('hides no other error of the shared buckets', async () => {
  const { buckets, logger } = resilient(async () => {
    throw new TypeError('A defect.');
  });

  await expect(buckets.take(SPECS)).rejects.toThrow('A defect.');
  expect(logger.warn).not.toHaveBeenCalled();
});
