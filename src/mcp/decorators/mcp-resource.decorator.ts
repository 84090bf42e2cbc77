import type { SchemaSource } from '../protocol/schema-source.js';
import { addCapability } from './capability-metadata.js';
import type { McpResourceOptions } from './capability-options.js';
import type { Fits, Method } from './handler-types.js';

/**
 * Offers what a method returns as an MCP resource, under a fixed URI or an RFC 6570 template.
 *
 * The method receives the template's variables and the {@link McpCall}; it returns text, bytes, an object (sent as
 * JSON), `null` or `undefined` for "no such resource", or a full `ReadResourceResult`.
 *
 * @param uri absolute URI, or a template such as `orders://{orderId}`
 * @example
 * ```ts
 * @McpResource('orders://{orderId}', { title: 'An order', cache: { ttlMs: 5_000 } })
 * order({ orderId }: { orderId: string }) {
 *   return this.orders.find(orderId);
 * }
 * ```
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources
 */
export function McpResource<const Input extends SchemaSource | undefined = undefined>(
  uri: string,
  options: McpResourceOptions<Input> = {},
) {
  return <H extends Method>(
    prototype: object,
    methodName: string | symbol,
    _descriptor: TypedPropertyDescriptor<H>,
  ): Fits<Input, undefined, H> => {
    addCapability(prototype, methodName, {
      kind: 'resource',
      uri,
      options: Object.freeze({ ...options }),
    });
    return undefined as Fits<Input, undefined, H>;
  };
}
