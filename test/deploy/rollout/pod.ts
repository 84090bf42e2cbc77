import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Exit } from '../../support/cluster/replica.js';
import { freePort } from '../../support/free-port.js';
import type { ConfigMaps } from './config-maps.js';
import { Container } from './container.js';
import type { Probe, RolloutPlan } from './rollout-plan.js';

/** A version of what a Deployment runs. */
export interface PodTemplate {
  readonly revision: number;
  readonly script: string;
  /** Name of the ConfigMap that each container reads when it starts. */
  readonly configMap: string;
  /** What is in the template itself, and wins. */
  readonly env: Readonly<Record<string, string>>;
}

export interface PodOptions {
  readonly plan: RolloutPlan;
  /** What the times of the plan were divided by. */
  readonly scale: number;
  readonly configMaps: Pick<ConfigMaps, 'read'>;
  /** Hears of a SIGKILL just before it is sent. */
  readonly beforeKill: (pid: number) => void;
}

/** The end of a container, as the kubelet knows it. */
export interface Ended extends Exit {
  readonly pid: number;
  /** Whether the kubelet had to send SIGKILL. */
  readonly killed: boolean;
  /** From the decision to end it, in milliseconds at the scale of the plan; undefined where it ended by itself. */
  readonly tookMs: number | undefined;
}

/** Until a container that ended by itself is started again: at once, then after this time, then twice as long. */
const BACK_OFF_MS = 10_000;

/**
 * A pod, and what a kubelet does for it: starts its container, asks the probes, starts it again when it ends or its
 * liveness probe fails, and ends it with preStop, SIGTERM and, when the grace period is over, SIGKILL.
 */
export class Pod {
  readonly ended: Ended[] = [];
  /** Epoch milliseconds since which it is ready; undefined while it is not. */
  readySince: number | undefined;
  terminating = false;
  /** Containers that were started after the first. */
  restarts = 0;
  private container: Container | undefined;
  private readonly logs: string[] = [];
  private stopping: { readonly since: number; killed: boolean } | undefined;
  private readonly removal = new AbortController();
  private over = false;
  private readonly running: Promise<void>;

  private constructor(
    readonly template: PodTemplate,
    private readonly options: PodOptions,
    /** Where each declared port really is. */
    private readonly ports: ReadonlyMap<number, number>,
  ) {
    this.running = this.run().finally(() => (this.over = true));
  }

  static async create(template: PodTemplate, options: PodOptions): Promise<Pod> {
    const ports = new Map<number, number>();
    for (const port of Object.values(options.plan.ports)) ports.set(port, await freePort());
    return new Pod(template, options, ports);
  }

  /** Host and port of what clients call. */
  get address(): string {
    return `127.0.0.1:${this.at('http')}`;
  }

  get pid(): number {
    return this.container?.pid ?? 0;
  }

  /** Whether nothing of it runs any more, nor will. */
  get gone(): boolean {
    return this.over;
  }

  get ready(): boolean {
    return this.readySince !== undefined;
  }

  /** What its containers have printed. */
  get log(): string {
    return [...this.logs, this.container?.log ?? ''].join('\n');
  }

  /** Sends a signal to the process, past the kubelet. */
  signal(signal: NodeJS.Signals): void {
    this.container?.signal(signal);
  }

  /** Ends it in good order. Resolves when it is gone. */
  async delete(): Promise<void> {
    if (!this.terminating) {
      this.terminating = true;
      this.removal.abort();
      void this.stop(this.options.plan.graceMs);
    }
    await this.running;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.terminating = true;
    this.removal.abort();
    this.signal('SIGKILL');
    await this.running;
  }

  private async run(): Promise<void> {
    for (;;) {
      const env = await this.configured();
      if (!env) return;
      const container = new Container(this.template.script, env);
      this.container = container;
      const over = new AbortController();
      void this.probe(over.signal);
      const exit = await container.exited;
      over.abort();
      this.readySince = undefined;
      const { stopping } = this;
      this.ended.push({
        ...exit,
        pid: container.pid,
        killed: stopping?.killed ?? false,
        tookMs: stopping && Date.now() - stopping.since,
      });
      this.stopping = undefined;
      this.logs.push(container.log);
      if (this.terminating) return;
      const backOffMs = this.restarts === 0 ? 0 : (BACK_OFF_MS / this.options.scale) * 2 ** (this.restarts - 1);
      this.restarts += 1;
      await delay(backOffMs, undefined, { signal: this.removal.signal }).catch(() => undefined);
      if (this.terminating) return;
    }
  }

  /** Its environment, as it is now; waits for the ConfigMap. @returns undefined when the pod is to go meanwhile */
  private async configured(): Promise<Record<string, string> | undefined> {
    const { configMap, env } = this.template;
    while (!this.terminating) {
      const data = this.options.configMaps.read(configMap);
      const ports = { PORT: String(this.at('http')), MANAGEMENT_PORT: String(this.at('management')) };
      if (data) return { ...data, ...env, ...ports };
      const said = `CreateContainerConfigError: there is no ConfigMap ${configMap}.`;
      if (this.logs.at(-1) !== said) this.logs.push(said);
      await delay(BACK_OFF_MS / this.options.scale, undefined, { signal: this.removal.signal }).catch(() => undefined);
    }
    return undefined;
  }

  private at(name: string): number {
    return this.ports.get(this.options.plan.ports[name] ?? 0) ?? 0;
  }

  /** Asks the startup probe until it succeeds, and then the two others for as long as the container runs. */
  private async probe(over: AbortSignal): Promise<void> {
    const { startup, liveness, readiness } = this.options.plan.probes;
    if (startup) {
      const started = await this.ask(startup, over, (answers) => answers);
      if (over.aborted) return;
      if (!started) return this.stop(startup.graceMs ?? this.options.plan.graceMs);
    }
    if (!readiness) this.readySince = Date.now();
    await Promise.all([
      readiness &&
        this.ask(readiness, over, (answers) => {
          if (answers) this.readySince ??= Date.now();
          else this.readySince = undefined;
          return undefined;
        }),
      liveness &&
        this.ask(liveness, over, (answers) => (answers ? undefined : false)).then((alive) => {
          if (alive === false && !over.aborted) void this.stop(liveness.graceMs ?? this.options.plan.graceMs);
        }),
    ]);
  }

  /**
   * Asks again and again, and tells what the thresholds make of the answers.
   * @param verdict ends the asking by returning something
   */
  private async ask(
    probe: Probe,
    over: AbortSignal,
    verdict: (answers: boolean) => boolean | undefined,
  ): Promise<boolean | undefined> {
    await delay(probe.delayMs);
    for (let [good, bad] = [0, 0]; !over.aborted;) {
      const begun = Date.now();
      const answered = await this.answers(probe);
      if (over.aborted) return undefined;
      [good, bad] = answered ? [good + 1, 0] : [0, bad + 1];
      const decided = good >= probe.successThreshold || bad >= probe.failureThreshold;
      const end = decided ? verdict(good > 0) : undefined;
      if (end !== undefined) return end;
      await delay(Math.max(0, probe.periodMs - (Date.now() - begun)));
    }
    return undefined;
  }

  /** As a kubelet asks: over a new connection, and a status from 200 to 399 is good. */
  private answers({ path, containerPort, timeoutMs }: Probe): Promise<boolean> {
    return new Promise((resolve) => {
      const port = this.ports.get(containerPort);
      const asked = request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        response.resume();
        settle((response.statusCode ?? 0) >= 200 && (response.statusCode ?? 0) < 400);
      });
      // Where this program itself was late, an answer may be there already.
      const timer = setTimeout(() => setImmediate(() => settle(false)), timeoutMs);
      const settle = (good: boolean): void => {
        clearTimeout(timer);
        asked.destroy();
        resolve(good);
      };
      asked.on('error', () => settle(false)).end();
    });
  }

  /** Ends the container; one that is being ended already is left to that. */
  private async stop(graceMs: number): Promise<void> {
    const { container } = this;
    if (!container || this.stopping) return;
    const stopping = { since: Date.now(), killed: false };
    this.stopping = stopping;
    const killer = setTimeout(() => {
      stopping.killed = true;
      this.options.beforeKill(container.pid);
      container.signal('SIGKILL');
    }, graceMs);
    await Promise.race([delay(this.options.plan.preStopMs), container.exited]);
    container.signal('SIGTERM');
    await container.exited;
    clearTimeout(killer);
  }
}
