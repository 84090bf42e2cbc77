/** Classes of Node's own HTTP client, undici, that node:http hands on from Node 22 on. */
const OF_CLIENT: readonly string[] = ['WebSocket', 'CloseEvent', 'MessageEvent'];

/**
 * Imports node:http, on which everything here depends, without undici, which a server that calls nobody never needs.
 * `import` reads each export of a built-in module once, and the getters of those classes would load it; so they are
 * hidden meanwhile. `fetch`, the global `WebSocket` and `http.WebSocket` of `require` load it when they are first used.
 * Only `import { WebSocket } from 'node:http'` finds nothing: use the global one.
 */
export async function importHttpWithoutClient(): Promise<void> {
  const http = process.getBuiltinModule('node:http');
  const all = Object.entries(Object.getOwnPropertyDescriptors(http));
  const getters = all.filter(
    ([name, property]) => OF_CLIENT.includes(name) && 'get' in property && property.configurable,
  );
  for (const [name] of getters) Object.defineProperty(http, name, { value: undefined });
  await import('node:http');
  Object.defineProperties(http, Object.fromEntries(getters));
}
