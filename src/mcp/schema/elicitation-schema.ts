import type { JsonSchema } from '../protocol/schema-source.js';
import { deepFreeze, isJsonObject } from './json.js';

const ANNOTATIONS = ['title', 'description', 'default'] as const;
const FORMATS: ReadonlySet<unknown> = new Set(['email', 'uri', 'date', 'date-time']);

/** Keeps what a client may be asked for; undefined when a property is of another kind. */
type Kind = (schema: JsonSchema) => JsonSchema | undefined;

/**
 * Reduces a schema to the form that an MCP elicitation may ask for: a flat object of primitives and choices
 * (`PrimitiveSchemaDefinition`). Keywords outside that form are left out; the answer is still validated by all of them.
 *
 * @throws Error naming `where` and the property, for one that no client could show, such as a nested object.
 */
export function toElicitationSchema(schema: JsonSchema, where: string): JsonSchema {
  const { type, properties, required } = schema;
  if (type !== 'object' || !isJsonObject(properties)) {
    throw new Error(`${where}: an elicitation asks for an object with properties. Use a DTO or an object schema.`);
  }
  const fields = Object.entries(properties).map(([name, property]): [string, JsonSchema] => [
    name,
    fieldOf(property, `${where}: the property "${name}"`),
  ]);
  return deepFreeze({
    type: 'object',
    properties: Object.fromEntries(fields),
    ...(isNonEmpty(required) && { required }),
  });
}

function isNonEmpty(required: unknown): required is readonly unknown[] {
  return Array.isArray(required) && required.length > 0;
}

function fieldOf(property: unknown, subject: string): JsonSchema {
  const kind = isJsonObject(property) ? KINDS.find((candidate) => candidate(property) !== undefined) : undefined;
  const field = isJsonObject(property) ? kind?.(property) : undefined;
  if (!field) {
    throw new Error(
      `${subject} cannot be elicited. Use a string, number, integer, boolean, a choice of strings, or a list of such choices; ask for nested objects in a further elicitation.`,
    );
  }
  return field;
}

const titledChoice: Kind = (schema) => {
  const options = titledOptions(schema['oneOf'] ?? schema['anyOf']);
  return options && { type: 'string', ...pick(schema, ANNOTATIONS), oneOf: options };
};

const choice: Kind = (schema) => {
  const values = stringsOf(schema['enum'] ?? (schema['const'] === undefined ? undefined : [schema['const']]));
  return values && { type: 'string', ...pick(schema, ANNOTATIONS), enum: values, ...pick(schema, ['enumNames']) };
};

const choices: Kind = (schema) => {
  const items = schema['items'];
  if (schema['type'] !== 'array' || !isJsonObject(items)) return undefined;
  const values = stringsOf(items['enum']);
  const options = titledOptions(items['anyOf'] ?? items['oneOf']);
  if (!values && !options) return undefined;
  return {
    type: 'array',
    ...pick(schema, [...ANNOTATIONS, 'minItems', 'maxItems']),
    items: values ? { type: 'string', enum: values } : { anyOf: options },
  };
};

const text: Kind = (schema) => {
  if (schema['type'] !== 'string' || hasAlternatives(schema)) return undefined;
  const format = FORMATS.has(schema['format']) ? pick(schema, ['format']) : {};
  return { type: 'string', ...pick(schema, [...ANNOTATIONS, 'minLength', 'maxLength']), ...format };
};

const number: Kind = (schema) => {
  const { type } = schema;
  if ((type !== 'number' && type !== 'integer') || hasAlternatives(schema)) return undefined;
  return { type, ...pick(schema, [...ANNOTATIONS, 'minimum', 'maximum']) };
};

const boolean: Kind = (schema) =>
  schema['type'] === 'boolean' ? { type: 'boolean', ...pick(schema, ANNOTATIONS) } : undefined;

const KINDS: readonly Kind[] = [titledChoice, choice, choices, text, number, boolean];

/** Alternatives that are no titled choice: the client could only guess what to show. */
function hasAlternatives(schema: JsonSchema): boolean {
  return ['enum', 'oneOf', 'anyOf'].some((keyword) => keyword in schema);
}

function titledOptions(options: unknown): JsonSchema[] | undefined {
  if (!Array.isArray(options) || options.length === 0) return undefined;
  const titled = options.filter(
    (option): option is JsonSchema => isJsonObject(option) && typeof option['const'] === 'string',
  );
  if (titled.length !== options.length) return undefined;
  return titled.map((option) => ({ const: option['const'], title: option['title'] ?? option['const'] }));
}

function stringsOf(values: unknown): string[] | undefined {
  return Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'string')
    ? values
    : undefined;
}

function pick(schema: JsonSchema, keywords: readonly string[]): JsonSchema {
  return Object.fromEntries(
    keywords.filter((keyword) => keyword in schema).map((keyword) => [keyword, schema[keyword]]),
  );
}
