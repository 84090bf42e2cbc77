import { type Declaration, declaration } from './declaration.js';
import {
  CONCURRENCY,
  type ConcurrencyOptions,
  type ConcurrencyRule,
  concurrencyRule,
  placeOf,
} from './limit-metadata.js';

/**
 * Limits how many calls of a capability run at once on one replica. On a class or a module it holds for each capability
 * in it on its own. Several of these decorators must all be met. A call that finds no room, nor any in the queue, is
 * answered with 429 and `Retry-After`, before its handler runs.
 *
 * `per: 'principal'` counts all anonymous callers together: they have nothing to tell them apart.
 *
 * @param options the most calls at once, or more to say than that
 * @throws Error at class definition when a value cannot be, naming class and method
 * @example
 * ```ts
 * @McpTool({ title: 'Render a report' })
 * @Concurrency({ max: 4, queue: 20, queueMs: 2_000 })
 * render(input: ReportInput): Promise<Report> { … }
 * ```
 */
export function Concurrency(options: number | ConcurrencyOptions): Declaration {
  return (target, methodName, descriptor) => {
    const rule = concurrencyRule(options, `${placeOf(target, methodName)}: @Concurrency()`);
    declaration<ConcurrencyRule>('Concurrency', CONCURRENCY, rule)(target, methodName, descriptor);
  };
}
