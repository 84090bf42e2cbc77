import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/cluster/until.js';
import type { RedisServer } from '../support/redis/redis-server.js';
import type { Excuses } from './excuses.js';
import type { Ledger } from './ledger.js';
import type { Disturbance } from './options.js';
import type { SoakCluster } from './soak-cluster.js';

/** Milliseconds in which the terminal errors of a killed replica must have come, and all clients work again. */
export const RECOVERY_LIMIT_MS = 15_000;
/** How long Redis is away. */
const AWAY_MS = 2_000;
/** What is undisturbed at the beginning of a phase. */
const LEAD_MS = 2_000;

export interface Stage {
  readonly cluster: SoakCluster;
  readonly redis: RedisServer;
  readonly ledger: Ledger;
  readonly excuses: Excuses;
  /** Names of those who must work again after a disturbance. */
  readonly clients: readonly string[];
  /** How long the phase is to last; it may take longer. */
  readonly forMs: number;
  say(text: string): void;
  /** Something to know about the result. */
  note(text: string): void;
  /** The soak has failed. */
  problem(text: string): void;
}

/** How each phase disturbs the cluster. Each resolves when the cluster is as it was. */
export const DISTURB: Readonly<Record<Disturbance, (stage: Stage) => Promise<void>>> = {
  steady: ({ forMs }) => delay(forMs),

  async rolling({ cluster, forMs, say, note, problem }) {
    const begun = Date.now();
    let rolls = 0;
    do {
      for (const replica of cluster.replicas) {
        const stopped = Date.now();
        const { code, signal } = await cluster.stop(replica);
        const tookMs = Date.now() - stopped;
        if (code !== 0) problem(`Replica ${replica.pid} ended with ${signal ?? `exit code ${code}`}, not with 0.`);
        const { pid } = await cluster.add();
        say(`replica ${replica.pid} ended with ${code} after ${tookMs} ms; ${pid} has taken its place`);
      }
      rolls += 1;
    } while ((Date.now() - begun) * (1 + 1 / rolls) < forMs);
    note(
      `rolling: each of ${cluster.replicas.length} replicas was restarted ${rolls === 1 ? 'once' : `${rolls} times`}`,
    );
    await delay(LEAD_MS);
  },

  async kill({ cluster, excuses, forMs, say, note }) {
    await delay(LEAD_MS);
    const replica = cluster.replicas[0];
    if (!replica) return;
    const { pid, address } = replica;
    excuses.victim = { pid, address, killedAt: Date.now() };
    await cluster.kill(replica);
    say(`replica ${pid} was killed`);
    const { pid: successor } = await cluster.add();
    const tookMs = Date.now() - excuses.victim.killedAt;
    say(`${successor} has taken its place after ${tookMs} ms`);
    note(`kill: replica ${pid} got SIGKILL; another one was in rotation ${tookMs} ms later`);
    await delay(Math.max(RECOVERY_LIMIT_MS, forMs - LEAD_MS) - tookMs);
  },

  async redis({ redis, excuses, forMs, say, ...stage }) {
    await delay(LEAD_MS);
    const outage: { from: number; to?: number } = (excuses.outage = { from: Date.now() });
    await redis.kill('SIGKILL');
    say('Redis was killed');
    await delay(AWAY_MS);
    await redis.restart();
    const back = (outage.to = Date.now());
    say(`Redis is back after ${back - outage.from} ms`);
    await allWork(back, { say, ...stage });
    await delay(Math.max(0, forMs - (Date.now() - outage.from)));
  },
};

/** Waits until every client has had a right answer to something it sent after a moment. */
async function allWork(since: number, { ledger, clients, note, problem }: Omit<Stage, 'redis' | 'excuses' | 'forMs'>) {
  const waiting = new Set(clients);
  const stop = ledger.onSettled(({ client, sentAt, outcome }) => {
    if (outcome === 'ok' && sentAt >= since) waiting.delete(client);
  });
  try {
    await until('all clients work', () => waiting.size === 0, { withinMs: RECOVERY_LIMIT_MS });
    note(`redis: all clients worked again ${Date.now() - since} ms after Redis was back`);
  } catch {
    problem(`${RECOVERY_LIMIT_MS} ms after Redis was back, these did not work: ${[...waiting].join(', ')}.`);
  } finally {
    stop();
  }
}
