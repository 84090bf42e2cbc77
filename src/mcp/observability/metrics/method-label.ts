import { OTHER, REQUEST_METHODS } from '../method-names.js';
import type { ObservedOperation } from '../server-observer.port.js';

/** What a session is asked for without a JSON-RPC message. */
const VERBS: ReadonlySet<string> = new Set(['GET', 'DELETE']);

/** All values of `mcp_method_name`. */
export const METHOD_NAMES: readonly string[] = [...REQUEST_METHODS, ...VERBS, OTHER];

/** How the method of an operation is called in metrics. */
export function methodName({ method, era }: Pick<ObservedOperation, 'method' | 'era'>): string {
  // A request that is refused before it is known what it wants has no more than its verb.
  return REQUEST_METHODS.has(method) || (era !== undefined && VERBS.has(method)) ? method : OTHER;
}
