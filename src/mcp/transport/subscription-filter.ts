import { McpError } from '../protocol/errors.js';
import { MAX_URI_LENGTH } from '../protocol/uri-template.js';
import type { Interest } from '../session/change-fanout.js';
import { type JsonObject, isJsonObject } from './json-rpc.js';

const FLAGS = ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'] as const;
const LISTS = ['tools', 'prompts', 'resources'] as const;

/** The lists that can be asked for together, by the bits of their flags: thousands of streams share these few sets. */
const KINDS = Array.from({ length: 2 ** LISTS.length }, (_, wanted): Interest['kinds'] => {
  return new Set(LISTS.filter((_list, index) => wanted & (1 << index)));
});
const NO_KINDS: Interest['kinds'] = new Set();
const NO_URIS: ReadonlySet<string> = new Set();

/** What a `subscriptions/listen` request asks for, and what of it is granted. */
export interface SubscriptionFilter {
  readonly interest: Interest;
  /** The filter as the acknowledgment repeats it. */
  readonly granted: JsonObject;
}

/**
 * Reads the filter of `subscriptions/listen`; fields it does not know are not granted.
 * @throws McpError `INVALID_PARAMS`
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions#notification-filter
 */
export function readSubscriptionFilter(params: JsonObject, maxUris: number): SubscriptionFilter {
  const asked = params['notifications'];
  if (!isJsonObject(asked)) throw new McpError('INVALID_PARAMS', 'params.notifications must be an object.');
  const granted: Record<string, unknown> = {};
  let wanted = 0;
  for (const [index, flag] of FLAGS.entries()) {
    const value = asked[flag];
    if (value !== undefined && typeof value !== 'boolean') {
      throw new McpError('INVALID_PARAMS', `params.notifications.${flag} must be a boolean.`);
    }
    if (!value) continue;
    granted[flag] = true;
    wanted |= 1 << index;
  }
  const kinds = KINDS[wanted] ?? NO_KINDS;
  const uris = asked['resourceSubscriptions'];
  if (uris === undefined) return { interest: { kinds, uris: NO_URIS }, granted };
  if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === 'string' && uri.length <= MAX_URI_LENGTH)) {
    throw new McpError(
      'INVALID_PARAMS',
      `params.notifications.resourceSubscriptions must be an array of strings, none longer than ${MAX_URI_LENGTH}.`,
    );
  }
  if (uris.length > maxUris) {
    throw new McpError('INVALID_PARAMS', `At most ${maxUris} resources can be subscribed to at once.`);
  }
  return { interest: { kinds, uris: new Set<string>(uris) }, granted: { ...granted, resourceSubscriptions: uris } };
}
