import type { ContentBlock } from '@modelcontextprotocol/server';

const BLOCK_FIELDS: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['text', ['text']],
  ['image', ['data', 'mimeType']],
  ['audio', ['data', 'mimeType']],
  ['resource', ['resource']],
  ['resource_link', ['uri', 'name']],
]);

/** Whether a value has the shape of a content block, rather than being a team's own object with a `type`. */
export function isContentBlock(value: unknown): value is ContentBlock {
  if (typeof value !== 'object' || value === null) return false;
  const fields = BLOCK_FIELDS.get((value as { type?: unknown }).type);
  return fields !== undefined && fields.every((field) => field in value);
}

export function text(value: string): ContentBlock {
  return { type: 'text', text: value };
}

export function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
