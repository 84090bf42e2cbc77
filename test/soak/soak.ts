import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/cluster/until.js';
import type { RedisServer } from '../support/redis/redis-server.js';
import { problemsOf } from './criteria.js';
import { Excuses } from './excuses.js';
import { leftBehind } from './left-behind.js';
import { type Counts, Ledger, type PhaseName } from './ledger.js';
import type { Disturbance, SoakOptions } from './options.js';
import { Pace } from './pace.js';
import { DISTURB, RECOVERY_LIMIT_MS } from './phases.js';
import { Population } from './population.js';
import { Publications } from './publications.js';
import type { SoakResult } from './report.js';
import type { SoakCluster } from './soak-cluster.js';
import { Stalls } from './stalls.js';

/** How long calls may take that are under way at the end of a phase, and changes until they have come. Milliseconds. */
const CALLS_END_MS = 70_000;
const CHANGES_COME_MS = 15_000;
/** Shares of the time. */
const SHARES: Readonly<Record<Disturbance, number>> = { steady: 1, rolling: 3, kill: 1.5, redis: 1.5 };
const TELL_EVERY_MS = 5_000;

/** One run: opens the clients, goes through the phases, closes the clients, and says what came of it. */
export class Soak {
  private readonly ledger: Ledger;
  private readonly excuses: Excuses;
  private readonly publications = new Publications();
  private readonly population: Population;
  private readonly pace = new Pace();
  private readonly stalls: Stalls;
  private readonly notes: string[] = [];
  private readonly problems: string[] = [];
  private readonly seconds = new Map<PhaseName, number>();

  constructor(
    private readonly options: SoakOptions,
    private readonly redis: RedisServer,
    private readonly cluster: SoakCluster,
    private readonly say: (text: string) => void,
  ) {
    this.stalls = new Stalls(redis.url);
    this.excuses = new Excuses(() => cluster.balancerLog);
    this.ledger = new Ledger((request, failure) => this.excuses.of(request, failure));
    const { ledger, excuses, publications } = this;
    this.population = new Population({ url: cluster.url, ledger, excuses, publications }, options);
  }

  async run(): Promise<SoakResult> {
    const { population, pace, options } = this;
    await this.timed('opening', () => population.open());
    const loops = Promise.all([
      ...population.clients.map((client) =>
        pace.loop(
          () => client.work(),
          () => 20 + Math.random() * 100,
        ),
      ),
      pace.loop(
        () => population.publisher.publish(),
        () => 1_000 / options.rate,
      ),
    ]);
    const telling = setInterval(() => this.tell(), TELL_EVERY_MS);
    try {
      // A defect of a client ends the run at once.
      await Promise.race([this.disturb(), loops]);
    } finally {
      clearInterval(telling);
      this.stalls.stop();
      pace.end();
    }
    await loops;
    await this.timed('closing', () => this.close());
    return this.result();
  }

  private async disturb(): Promise<void> {
    const { options, redis, cluster, ledger, excuses, population, notes, problems } = this;
    const all = options.phases.reduce((sum, phase) => sum + SHARES[phase], 0);
    const clients = population.clients.map(({ name }) => name);
    for (const phase of options.phases) {
      await this.timed(phase, async () => {
        this.pace.open();
        await DISTURB[phase]({
          ...{ cluster, redis, ledger, excuses, clients },
          forMs: (options.minutes * 60_000 * SHARES[phase]) / all,
          say: (text) => this.say(`${phase}: ${text}`),
          note: (text) => void notes.push(text),
          problem: (text) => void problems.push(text),
        });
        await this.settle(phase);
      });
    }
  }

  /** Lets everything of a phase come to its end; what has not come then is lost. */
  private async settle(phase: PhaseName): Promise<void> {
    const stuck = await this.pace.close(CALLS_END_MS);
    if (stuck > 0) {
      const open = this.ledger.open.filter(({ what }) => what !== 'listen' && what !== 'GET stream');
      const which = open.map(({ what, client, seq }) => `${what} of ${client} (request ${seq})`).join(', ');
      this.problems.push(`${phase}: ${stuck} calls did not end within ${CALLS_END_MS} ms: ${which}.`);
    }
    const { subscribers } = this.population;
    await until('all changes have come', () => subscribers.every((subscriber) => subscriber.hasAll(phase)), {
      withinMs: CHANGES_COME_MS,
      everyMs: 100,
    }).catch(() => undefined);
    // What comes twice comes late.
    await delay(1_000);
    for (const subscriber of subscribers) subscriber.close(phase);
    for (const stall of await this.stalls.take()) this.notes.push(`${phase}: ${stall}`);
    this.tell();
  }

  private async close(): Promise<void> {
    const { population, redis, notes, problems } = this;
    await Promise.all(population.clients.map((client) => client.close()));
    const ids = population.clients.flatMap(({ sessionIds }) => sessionIds);
    const left = await leftBehind(redis.url, ids);
    notes.push(`closing: ${ids.length} sessions were deleted; keys of theirs in Redis: ${left.length}`);
    if (left.length > 0) problems.push(`Redis still holds ${left.slice(0, 5).join(', ')}.`);
  }

  private result(): SoakResult {
    const { ledger, cluster, notes, problems, seconds, excuses } = this;
    const names = ['opening', ...this.options.phases, 'closing'] as const;
    const phases = new Map<PhaseName, Counts>(names.map((phase) => [phase, ledger.counts(phase)]));
    for (const [phase, counts] of phases) problems.push(...problemsOf(phase, counts));
    for (const { what, client, seq } of ledger.open) problems.push(`${what} of ${client} (request ${seq}) has no end.`);
    if (phases.has('kill')) {
      const { slowestTerminalErrorMs: ms } = excuses;
      notes.push(`kill: the last terminal error came ${ms} ms after the kill`);
      if (ms >= RECOVERY_LIMIT_MS) problems.push(`kill: a terminal error took ${ms} ms.`);
    }
    const { logs, balancerLog } = cluster;
    return { phases, seconds, notes, problems, incidents: ledger.incidents, logs, balancerLog };
  }

  private async timed(phase: PhaseName, work: () => Promise<void>): Promise<void> {
    this.ledger.phase = phase;
    const begun = Date.now();
    await work();
    this.seconds.set(phase, (Date.now() - begun) / 1_000);
  }

  private tell(): void {
    const { phase } = this.ledger;
    const { requests, calls, progress, notifications, failed, lost, doubled, reordered } = this.ledger.counts(phase);
    const done = `${requests} requests, ${calls} calls, ${progress} events, ${notifications} notifications`;
    this.say(`${phase}: ${done}; failed ${failed}, lost ${lost}, doubled ${doubled}, reordered ${reordered}`);
  }
}
