/** Stands for whatever has no name of its own. */
export const OTHER = '_other';

/** Requests that the server implements, of either era. */
export const REQUEST_METHODS: ReadonlySet<string> = new Set([
  'completion/complete',
  'initialize',
  'logging/setLevel',
  'ping',
  'prompts/get',
  'prompts/list',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'resources/templates/list',
  'resources/unsubscribe',
  'server/discover',
  'subscriptions/listen',
  'tools/call',
  'tools/list',
]);

const NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/cancelled',
  'notifications/initialized',
  'notifications/progress',
  'notifications/roots/list_changed',
]);

/** What a request is called that is refused before its message is read, or has none. */
export const HTTP_METHODS: ReadonlySet<string> = new Set(['GET', 'POST', 'DELETE']);

/** What the answer of a client is called, which has no method. */
export const RESPONSE = 'response';

/**
 * The method of an operation, as it may be shown: callers may send any text as a method, a secret too, and as many of
 * them as they like.
 * @returns `_other` for what the server does not know
 */
export function shownMethod(method: string): string {
  const isKnown =
    REQUEST_METHODS.has(method) || NOTIFICATIONS.has(method) || HTTP_METHODS.has(method) || method === RESPONSE;
  return isKnown ? method : OTHER;
}
