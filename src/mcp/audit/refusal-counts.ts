import { isAnonymous } from '../protocol/principal.js';
import type { AuditEvent } from './audit-event.js';
import { cut } from './cut.js';

const WINDOW_MS = 1_000;
/** Kinds that are told apart in one window; what is of none of them counts as `_other`. */
const MAX_KINDS = 64;
const OTHER = '_other';
const MAX_METHOD = 128;

/**
 * True for what anyone can cause who reaches the server: it was refused, and nobody has said who is calling, or that
 * could not be found out.
 */
export function isNamelessRefusal({ decision, principal }: AuditEvent): boolean {
  return principal === undefined || (decision !== 'allow' && isAnonymous(principal));
}

/**
 * Counts refusals of callers without a name, of which anyone can cause any number: of each kind (method, rule, code) the
 * first in a second is recorded by itself, and the others as one event that says how many they were.
 */
export class RefusalCounts {
  readonly #record: (event: AuditEvent) => void;
  /** By kind; undefined while the first is the only one. */
  readonly #kinds = new Map<string, AuditEvent | undefined>();
  #window: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param record takes what was counted, when the second is over */
  constructor(record: (event: AuditEvent) => void) {
    this.#record = record;
  }

  /** @returns false for the first of its kind, which is to be recorded by itself */
  count(event: AuditEvent): boolean {
    if (this.#closed) return false;
    this.#window ??= setTimeout(() => this.#flush(), WINDOW_MS).unref();
    const own = kindOf(event);
    const isOther = !this.#kinds.has(own) && this.#kinds.size >= MAX_KINDS;
    const kind = isOther ? OTHER : own;
    if (!this.#kinds.has(kind)) {
      this.#kinds.set(kind, undefined);
      return false;
    }
    const counted = this.#kinds.get(kind) ?? summaryOf(event, isOther);
    this.#kinds.set(kind, { ...counted, count: (counted.count ?? 0) + 1 });
    return true;
  }

  /** Records what was counted. Nothing is counted any more. */
  close(): void {
    this.#closed = true;
    this.#flush();
  }

  #flush(): void {
    clearTimeout(this.#window);
    this.#window = undefined;
    const counted = [...this.#kinds.values()];
    this.#kinds.clear();
    for (const event of counted) if (event) this.#record(event);
  }
}

function kindOf({ method, decision, rule, code, principal }: AuditEvent): string {
  return JSON.stringify([cut(method, MAX_METHOD), decision, rule, code, principal !== undefined]);
}

/** What is the same for all of a kind; a number that is none stands for no latency. */
function summaryOf({ method, decision, rule, outcome, code, principal }: AuditEvent, isOther: boolean): AuditEvent {
  const same = { decision, outcome, latencyMs: Number.NaN };
  if (isOther) return { ...same, method: OTHER, rule: OTHER };
  return {
    ...{ ...same, method: cut(method, MAX_METHOD), rule },
    ...(code !== undefined && { code }),
    ...(principal && { principal }),
  };
}
