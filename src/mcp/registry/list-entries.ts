import type { CapabilityOptions, McpResourceOptions, McpToolOptions } from '../decorators/capability-options.js';
import type { JsonSchema } from '../protocol/schema-source.js';
import type { CompiledSchema } from '../schema/compiled-schema.js';
import type { ListEntry, ListedFields } from './capability.js';

/** The same bytes for both eras. */
function sameForBoth(entry: object): ListEntry {
  const json = JSON.stringify(entry);
  return { stateless: json, session: json };
}

/** Fields of a list entry; what is undefined does not reach the JSON. */
function listedFields(name: string, options: CapabilityOptions): ListedFields {
  const { title, description, icons, meta } = options;
  return {
    name,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(icons !== undefined && { icons }),
    ...(meta !== undefined && { _meta: meta }),
  };
}

export function toolEntry(
  name: string,
  options: McpToolOptions,
  input: CompiledSchema,
  output: CompiledSchema | undefined,
): ListEntry {
  const base = {
    ...listedFields(name, options),
    inputSchema: input.jsonSchema,
    ...(options.annotations && { annotations: options.annotations }),
  };
  if (!output) return sameForBoth(base);
  return {
    stateless: JSON.stringify({ ...base, outputSchema: output.jsonSchema }),
    session: JSON.stringify({ ...base, outputSchema: sessionOutputSchema(output.jsonSchema) }),
  };
}

/** Session revisions know only objects as structured content; anything else travels as `{ result: … }` in them. */
export function isObjectSchema(schema: JsonSchema): boolean {
  return schema['type'] === 'object';
}

function sessionOutputSchema(schema: JsonSchema): JsonSchema {
  if (isObjectSchema(schema)) return schema;
  const { $defs, ...result } = schema;
  return { type: 'object', properties: { result }, required: ['result'], ...($defs !== undefined && { $defs }) };
}

export function resourceEntry(location: object, name: string, options: McpResourceOptions): ListEntry {
  return sameForBoth({
    ...location,
    ...listedFields(name, options),
    ...(options.mimeType !== undefined && { mimeType: options.mimeType }),
    ...(options.size !== undefined && { size: options.size }),
    ...(options.annotations && { annotations: options.annotations }),
  });
}

export interface PromptArgumentEntry {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly required: boolean;
}

export function promptEntry(
  name: string,
  options: CapabilityOptions,
  promptArguments: readonly PromptArgumentEntry[],
): ListEntry {
  return sameForBoth({
    ...listedFields(name, options),
    ...(promptArguments.length > 0 && { arguments: promptArguments }),
  });
}
