import { performance } from 'node:perf_hooks';
import { DAYS, type Load, type LoadResult } from './load.js';
import { type Client, PostClient } from './node-clients.js';
import { percentile } from './statistics.js';

/** Makes a load without wrk. */
export function runNodeLoad(load: Load, seconds: number, connections: number): Promise<LoadResult> {
  const clients = Array.from({ length: connections }, (_, n) => {
    const id = load.sessions[n % load.sessions.length];
    return new PostClient(load.url, load.headers, id === undefined ? 'none' : { id });
  });
  return runClients(load, clients, { seconds });
}

export interface ClientLoadOptions {
  readonly seconds: number;
  /** Whether each call is one of a client that comes for it and goes again. Default false. */
  readonly comeAndGo?: boolean;
}

/** Each client calls as soon as its last call has been answered. @throws Error when an answer is wrong */
export async function runClients(
  { body, expected }: Pick<Load, 'body' | 'expected'>,
  clients: readonly Client[],
  { seconds, comeAndGo = false }: ClientLoadOptions,
): Promise<LoadResult> {
  const took: number[] = [];
  let calls = 0;
  if (!comeAndGo) await Promise.all(clients.map((client) => client.open()));
  const cpu = process.cpuUsage();
  const start = performance.now();
  const end = start + seconds * 1_000;
  const run = async (client: Client): Promise<void> => {
    while (performance.now() < end) {
      const id = (calls += 1);
      const days = String((id % DAYS) + 1);
      const sent = body.replace('%ID%', String(id)).replaceAll('%DAYS%', days);
      const began = performance.now();
      if (comeAndGo) await client.open();
      const answer = await client.call(sent);
      if (comeAndGo) client.close();
      took.push(performance.now() - began);
      requireRight(answer, id, days, expected);
    }
  };
  try {
    await Promise.all(clients.map(run));
  } finally {
    for (const client of clients) client.close();
  }
  const elapsed = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    requests: took.length,
    perSecond: took.length / elapsed,
    p50Ms: percentile(took, 50),
    p99Ms: percentile(took, 99),
    loadBusy: (user + system) / 1e6 / elapsed,
  };
}

function requireRight(
  answer: string,
  id: number,
  days: string,
  { contains, repeated, length }: Load['expected'],
): void {
  const isRight =
    answer.includes(`"id":${id}`) &&
    answer.includes(contains.replaceAll('%DAYS%', days)) &&
    (repeated === undefined || answer.split(repeated.text).length - 1 === repeated.times) &&
    (length === undefined || answer.length - String(id).length === length);
  if (!isRight) throw new Error(`A wrong answer: ${answer}`);
}
