import { Logger } from '@nestjs/common';
import { isThenable } from '../protocol/thenable.js';
import { within } from '../protocol/within.js';
import type { ReadinessCheck, ReadinessState } from './readiness-check.port.js';

/** Milliseconds that a check has: an orchestrator gives up on the probe soon after. */
const CHECK_MS = 1_000;

/** A check, and what it found. */
export interface Finding extends ReadinessState {
  readonly name: string;
}

/**
 * All that has to be in order before requests are sent to this process. Inject it to add a check of your own; it is
 * asked whenever `/health/ready` is, which `McpHealthModule` serves.
 *
 * @example
 * ```ts
 * constructor(readiness: Readiness, private readonly catalogue: Catalogue) {
 *   readiness.add({ name: 'catalogue', check: () => ({ ready: this.catalogue.loaded }) });
 * }
 * ```
 */
export class Readiness {
  private readonly checks = new Map<string, ReadinessCheck>();
  private readonly logger = new Logger('Health');
  /** Looks that have not ended. */
  private readonly running = new WeakMap<ReadinessCheck, Promise<ReadinessState>>();
  /** Checks that threw the last time. */
  private readonly failing = new Set<string>();
  /** What was logged last. */
  private troubles = '';

  constructor(checks: readonly ReadinessCheck[] = []) {
    for (const check of checks) this.add(check);
  }

  /**
   * @returns the function that takes the check away again
   * @throws Error when there is a check of that name
   */
  add(check: ReadinessCheck): () => void {
    if (this.checks.has(check.name)) throw new Error(`There is a readiness check "${check.name}" already.`);
    this.checks.set(check.name, check);
    return () => this.checks.delete(check.name);
  }

  /** Asks all checks, and logs what has changed since the last time. Never rejects. */
  async find(): Promise<readonly Finding[]> {
    const findings = await Promise.all([...this.checks.values()].map((check) => this.ask(check)));
    this.logChange(findings);
    return findings;
  }

  private async ask(check: ReadinessCheck): Promise<Finding> {
    const { name } = check;
    try {
      const state = await within(CHECK_MS, this.look(check), () => {
        throw new Error(`It did not answer within ${CHECK_MS} ms.`);
      });
      this.failing.delete(name);
      return { ...state, name };
    } catch (error) {
      if (!this.failing.has(name)) this.logger.error(`The readiness check "${name}" failed.`, error);
      this.failing.add(name);
      return { name, ready: false, detail: 'The check failed.' };
    }
  }

  /** Looks, unless an earlier look has not ended: one that hangs is not to pile up. */
  private look(check: ReadinessCheck): ReadinessState | Promise<ReadinessState> {
    const running = this.running.get(check);
    if (running) return running;
    const state: ReadinessState | PromiseLike<ReadinessState> = check.check();
    if (!isThenable(state)) return state;
    const looking = Promise.resolve(state);
    const end = (): void => void this.running.delete(check);
    this.running.set(check, looking);
    looking.then(end, end);
    return looking;
  }

  /** A probe comes every few seconds: the log gets a line when something changes, not one for each of them. */
  private logChange(findings: readonly Finding[]): void {
    const wrong = findings.filter(({ ready, degraded }) => !ready || degraded);
    const troubles = wrong.map(({ name, detail }) => (detail === undefined ? name : `${name}: ${detail}`)).join(' ');
    if (troubles === this.troubles) return;
    this.troubles = troubles;
    if (wrong.some(({ ready }) => !ready)) this.logger.warn(`Not ready. ${troubles}`);
    else if (troubles !== '') this.logger.warn(`Ready, but degraded. ${troubles}`);
    else this.logger.log('Ready, and nothing is degraded any more.');
  }
}
