import { setTimeout as delay } from 'node:timers/promises';
import { Balancer } from '../../support/cluster/balancer.js';
import { until } from '../../support/cluster/until.js';
import { ConfigMaps } from './config-maps.js';
import { type Ended, Pod, type PodOptions, type PodTemplate } from './pod.js';
import type { RolloutPlan } from './rollout-plan.js';

/** How often the controllers look. */
const LOOK_EVERY_MS = 50;

export interface SupervisorOptions extends Omit<PodOptions, 'configMaps'> {
  readonly script: string;
  /** Milliseconds, not divided, from the moment a pod is no endpoint any more until the balancer has heard of it. */
  readonly propagationMs: number;
}

/**
 * A Deployment without Kubernetes: plays the Deployment controller (how many pods of which version there are), the
 * kubelet (in {@link Pod}) and the endpoints controller (whom the balancer sends requests to, a while after the fact).
 */
export class Supervisor implements AsyncDisposable {
  /** Those that are not gone yet. */
  pods: readonly Pod[] = [];
  private past: readonly Pod[] = [];
  private template: PodTemplate;
  private endpoints: string[] = [];
  private closed = false;
  private readonly looping: Promise<void>;
  private readonly configMaps = new ConfigMaps();
  /** Fewest ready pods there were since it was asked for, as often as the controllers looked. */
  private fewest = Infinity;

  private constructor(
    private readonly options: SupervisorOptions,
    private readonly balancer: Balancer,
  ) {
    this.template = this.release(options.plan, 1);
    this.looping = this.loop();
  }

  /** Resolves when the first version is rolled out. */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const supervisor = new Supervisor(options, await Balancer.start());
    try {
      await supervisor.rolledOut();
      return supervisor;
    } catch (cause) {
      const said = supervisor.pods.map(({ log }) => log).join('\n');
      await supervisor[Symbol.asyncDispose]();
      throw new Error(`The first version does not become ready. It said:\n${said}`, { cause });
    }
  }

  get url(): string {
    return `${this.balancer.url}/mcp`;
  }

  get balancerLog(): string {
    return this.balancer.log;
  }

  /** Pods of the version that is to be. */
  get current(): readonly Pod[] {
    return this.pods.filter(({ template }) => template === this.template);
  }

  /** Every container that has ended. */
  get ended(): readonly Ended[] {
    return [...this.past, ...this.pods].flatMap(({ ended }) => ended);
  }

  /** What all pods have printed, those that are gone included. */
  get logs(): string {
    return [...this.past, ...this.pods].map(({ log }) => log).join('\n');
  }

  /**
   * Wants another version from now on, as after `helm upgrade`. Probes, numbers and times stay those of the first.
   * @returns the version before, to go back to
   */
  apply(version: RolloutPlan): PodTemplate {
    const before = this.template;
    this.template = this.release(version, before.revision + 1);
    return before;
  }

  /**
   * Wants a version again that there was, as after `kubectl rollout undo`: its pods, where they still run, stay, and
   * ConfigMaps are left as they are.
   */
  rollBack(to: PodTemplate): void {
    this.template = to;
  }

  /** Resolves when all pods are of the version that is to be, available, and in rotation; former ones may still end. */
  async rolledOut(withinMs = 60_000): Promise<void> {
    const { plan } = this.options;
    await until(
      'the version is rolled out',
      () => {
        const alive = this.pods.filter(({ terminating }) => !terminating);
        return (
          alive.length === plan.replicas &&
          alive.every((pod) => pod.template === this.template && this.available(pod)) &&
          alive.every(({ address }) => this.endpoints.includes(address)) &&
          this.endpoints.length === alive.length
        );
      },
      { withinMs },
    );
  }

  /** Resolves when no pod is ending any more. */
  async settled(withinMs = 60_000): Promise<void> {
    await until('former pods are gone', () => this.pods.every(({ terminating }) => !terminating), { withinMs });
  }

  /** Fewest pods that were ready and not ending, since this was last asked. */
  takeFewestReady(): number {
    const { fewest } = this;
    this.fewest = Infinity;
    return fewest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    await this.looping;
    await Promise.all(this.pods.map((pod) => pod.kill()));
    await this.balancer.close();
  }

  private release({ configMap, env }: RolloutPlan, revision: number): PodTemplate {
    this.configMaps.release([configMap]);
    return { revision, script: this.options.script, configMap: configMap.metadata.name, env };
  }

  private async loop(): Promise<void> {
    let told = '';
    while (!this.closed) {
      const gone = this.pods.filter((pod) => pod.gone);
      this.past = [...this.past, ...gone];
      this.pods = this.pods.filter((pod) => !gone.includes(pod));
      await this.scale();
      const ready = this.pods.filter((pod) => pod.ready && !pod.terminating).map(({ address }) => address);
      this.fewest = Math.min(this.fewest, ready.length);
      if (ready.join() !== told) {
        told = ready.join();
        setTimeout(() => void this.tell(ready), this.options.propagationMs);
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  private async tell(endpoints: string[]): Promise<void> {
    if (this.closed) return;
    await this.balancer.setReplicas(endpoints);
    this.endpoints = endpoints;
  }

  /** One step of a rolling update, as the Deployment controller takes it. */
  private async scale(): Promise<void> {
    const { options, configMaps } = this;
    const { plan } = options;
    const alive = this.pods.filter(({ terminating }) => !terminating);
    const current = alive.filter(({ template }) => template === this.template);
    const former = alive.filter(({ template }) => template !== this.template);
    const room = Math.min(plan.replicas - current.length, plan.replicas + plan.maxSurge - alive.length);
    for (let n = 0; n < room; n += 1) {
      this.pods = [...this.pods, await Pod.create(this.template, { ...options, configMaps })];
    }

    // Those that are not available go first: they are of no use to anybody.
    const least = plan.replicas - plan.maxUnavailable;
    const notYet = current.filter((pod) => !this.available(pod)).length;
    const useless = former.filter((pod) => !this.available(pod));
    for (const pod of useless.slice(0, Math.max(0, alive.length - least - notYet))) void pod.delete();
    const spare = alive.filter((pod) => !pod.terminating && this.available(pod)).length - least;
    const useful = former.filter((pod) => !pod.terminating && this.available(pod));
    for (const pod of useful.slice(0, Math.max(0, spare))) void pod.delete();
  }

  private available({ readySince }: Pod): boolean {
    return readySince !== undefined && Date.now() - readySince >= this.options.plan.minReadyMs;
  }
}
