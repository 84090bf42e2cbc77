import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../support/cluster/until.js';
import { ENVELOPE, type Json, statelessHeaders } from '../../support/wire.js';
import { STREAM } from '../../soak/clients/calls.js';
import { followCall } from '../../soak/clients/follow-call.js';
import { SessionWire } from '../../soak/clients/session-wire.js';
import { Excuses } from '../../soak/excuses.js';
import { type Counts, Ledger, type PhaseName } from '../../soak/ledger.js';
import { Pace } from '../../soak/pace.js';
import { Publications } from '../../soak/publications.js';
import { RolloutPopulation } from './population.js';

/** A call of four seconds: at the scale of the rollout, two thirds of the longest that there may be. */
const LONG = { to: STREAM.to, everyMs: 200 } as const;
const LONG_CALLERS = 3;
const CALLS_END_MS = 40_000;
const CHANGES_COME_MS = 15_000;
const PUBLISH_EVERY_MS = 250;
/** What a subscription of the stateless era is called in the ledger: by our clients, and by the official one. */
const LISTENING = ['listen', 'subscriptions/listen'];

/**
 * The clients of the soak, and some who make long calls: without a session and silent, or in one and streaming. All of
 * them go through the balancer, and count what they send and hear.
 */
export class RolloutLoad {
  private readonly excuses: Excuses;
  private readonly ledger: Ledger;
  private readonly publications = new Publications();
  private readonly population: RolloutPopulation;
  private readonly pace = new Pace();
  private loops: Promise<unknown> = Promise.resolve();
  private readonly longSessions: SessionWire[] = [];

  constructor(url: string, balancerLog: () => string, perEra = 5) {
    this.excuses = new Excuses(balancerLog);
    this.ledger = new Ledger((request, failure) => this.excuses.of(request, failure));
    const { ledger, excuses, publications } = this;
    this.population = new RolloutPopulation({ url, ledger, excuses, publications }, perEra);
  }

  /** Connects everyone. They work from the first {@link during} on. */
  async open(): Promise<void> {
    const { population, pace } = this;
    await population.open();
    const long = Array.from({ length: LONG_CALLERS }, (_, n) => [this.silent(n), this.streaming(n)]).flat();
    this.loops = Promise.all([
      ...population.clients.map((client) =>
        pace.loop(
          () => client.work(),
          () => 20 + Math.random() * 80,
        ),
      ),
      ...long.map((call) => pace.loop(call, () => 20)),
      pace.loop(
        () => population.publisher.publish(),
        () => PUBLISH_EVERY_MS,
      ),
    ]);
  }

  /**
   * Has everyone work while something is done, and for as long as what is under way then takes.
   * @param phase under which it counts
   */
  async during(phase: PhaseName, work: () => Promise<void>): Promise<Counts> {
    const { ledger, pace, population } = this;
    ledger.phase = phase;
    pace.open();
    // A defect of a client ends it at once.
    await Promise.race([work(), this.loops]);
    const stuck = await pace.close(CALLS_END_MS);
    if (stuck > 0) throw new Error(`${stuck} calls have not ended: ${ledger.open.map(({ what }) => what).join(', ')}`);
    await until('all changes have come', () => population.subscribers.every((each) => each.hasAll(phase)), {
      withinMs: CHANGES_COME_MS,
      everyMs: 100,
    }).catch(() => undefined);
    // What comes twice comes late.
    await delay(500);
    for (const subscriber of population.subscribers) subscriber.close(phase);
    return ledger.counts(phase);
  }

  /**
   * A replica stands still from now on. What is with it may fail when it is killed, and those who listen there without a
   * session hear nothing: that era has no replay.
   * @returns what to call just before it is killed
   */
  stalled(pid: number, address: string): () => void {
    const { ledger, excuses, population } = this;
    const deaf = ledger.open.filter(({ replica, what }) => replica === pid && LISTENING.includes(what));
    const subscribers = population.subscribers.filter(({ client }) =>
      deaf.some((request) => request.client === client),
    );
    for (const subscriber of subscribers) subscriber.leaves();
    excuses.victim = { pid, address, killedAt: Date.now() };
    return () => {
      for (const subscriber of subscribers) subscriber.returns();
      excuses.victim = { pid, address, killedAt: Date.now() };
    };
  }

  /** What went wrong, in words. */
  get incidents(): readonly string[] {
    return this.ledger.incidents.map(
      ({ at, phase, client, kind, detail }) => `${at} ${phase} ${client} ${kind}: ${detail}`,
    );
  }

  /** Ends the clients, their streams and their sessions. */
  async close(): Promise<void> {
    this.pace.end();
    await this.loops;
    this.ledger.phase = 'closing';
    await Promise.all([...this.population.clients, ...this.longSessions.map(ending)].map((client) => client.close()));
  }

  private silent(n: number): () => Promise<void> {
    const { meter, calls } = this.population.parts(`silent-${n}`);
    const params = { name: 'count', arguments: LONG };
    const headers = statelessHeaders('tools/call', params);
    const body = JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
      params: { ...params, _meta: ENVELOPE } satisfies Json,
    });
    return () =>
      calls.account('long call', async () => {
        const exchange = await meter.send('long call', { method: 'POST', headers, body, statuses: [200] });
        calls.expect(await exchange.answer(), `counted to ${LONG.to}`, exchange.request);
      });
  }

  private streaming(n: number): () => Promise<void> {
    const { meter, calls } = this.population.parts(`streaming-${n}`);
    let opened: Promise<SessionWire> | undefined;
    return () =>
      calls.account('long stream', async () => {
        opened ??= SessionWire.open(meter, '2025-11-25').then((wire) => {
          this.longSessions.push(wire);
          return wire;
        });
        const wire = await opened;
        const first = await wire.request('long stream', 'tools/call', { name: 'count', arguments: LONG });
        const events = calls.numbered();
        let whole = false;
        try {
          for await (const message of followCall(first, { wire, ledger: this.ledger })) {
            if (message['method'] === 'notifications/progress') {
              events.receive((message['params'] as { progress?: unknown }).progress);
              continue;
            }
            calls.expect(message, `counted to ${LONG.to}`, first.request);
            whole = true;
          }
        } finally {
          events.close(whole);
        }
      });
  }
}

function ending(wire: SessionWire): { close(): Promise<void> } {
  return { close: () => wire.delete() };
}
