import type { JsonSchema } from '../protocol/schema-source.js';
import { type SchemaNode, walkSchema } from './schema-walk.js';

/** An argument that clients mirror into an HTTP header, so that intermediaries can route by it. */
export interface HeaderParam {
  /** The header's full name in lower case, as `mcp-param-region`. */
  readonly header: string;
  /** The name as the schema gives it, as `Region`. */
  readonly name: string;
  /** Property names that lead from the arguments to the value. */
  readonly path: readonly string[];
  readonly type: 'string' | 'integer' | 'boolean';
}

const KEYWORD = 'x-mcp-header';
/** https://datatracker.ietf.org/doc/html/rfc9110#section-5.6.2 */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'boolean'] satisfies HeaderParam['type'][]);

/**
 * Finds the `x-mcp-header` annotations of an input schema.
 *
 * @throws Error naming `where` and the fix, for an annotation that clients would have to reject the tool for:
 *   MCP 2026-07-28, basic/transports/streamable-http, "Custom Headers from Tool Parameters".
 */
export function headerParams(schema: JsonSchema, where: string): readonly HeaderParam[] {
  const found = new Map<string, HeaderParam>();
  for (const node of walkSchema(schema)) {
    if (!(KEYWORD in node.schema)) continue;
    const param = headerParam(node, where);
    const other = found.get(param.header);
    if (other) {
      throw new Error(
        `${where}: ${other.path.join('.')} and ${param.path.join('.')} are both mirrored into the header ${param.header}. Give each its own ${KEYWORD}.`,
      );
    }
    found.set(param.header, param);
  }
  return Object.freeze([...found.values()]);
}

function headerParam({ schema, steps }: SchemaNode, where: string): HeaderParam {
  const at =
    steps.map(({ keyword, name }) => (name === undefined ? keyword : `${keyword}/${name}`)).join('/') || 'the root';
  const name = schema[KEYWORD];
  const type = schema['type'];
  if (typeof name !== 'string' || !TOKEN.test(name)) {
    throw new Error(
      `${where}: ${KEYWORD} ${JSON.stringify(name)} at ${at} is no header name. Use letters, digits and hyphens, as "Region".`,
    );
  }
  if (steps.length === 0 || steps.some(({ keyword }) => keyword !== 'properties')) {
    throw new Error(
      `${where}: ${KEYWORD} ${JSON.stringify(name)} at ${at} cannot be reached through properties alone. Move it to a property of the root or of an object nested in it.`,
    );
  }
  if (!TYPES.has(type)) {
    throw new Error(
      `${where}: ${KEYWORD} ${JSON.stringify(name)} at ${at} is on the type ${JSON.stringify(type)}. Use exactly one of string, integer or boolean.`,
    );
  }
  return Object.freeze({
    header: `mcp-param-${name.toLowerCase()}`,
    name,
    path: Object.freeze(steps.map((step) => step.name ?? '')),
    type: type as HeaderParam['type'],
  });
}
