import type { JsonSchema } from '../protocol/schema-source.js';
import { type ObjectProperty, closedObject, compileCode, scalarTest } from './schema-code.js';

/** The JSON of a value. */
export interface WrittenJson {
  readonly json: string;
  /** The same as the inside of a JSON string, between its quotes. */
  readonly quoted: string;
}

/** Writes a value that fits its schema, as JSON would write it; `undefined` for one that has to be looked at closely. */
export type JsonWriter = (value: object) => WrittenJson | undefined;

/**
 * Compiles what checks and writes an object of scalars whose properties come in the order of the schema, as those of an
 * instance do. Each is read once.
 *
 * @param prototypes of classes whose instances count as plain objects
 * @returns `undefined` for a schema that says more than that
 */
export function jsonWriter(schema: JsonSchema, prototypes: ReadonlySet<unknown>): JsonWriter | undefined {
  const fields = closedObject(schema)?.map(fieldOf);
  if (!fields || fields.length === 0 || fields.includes(undefined)) return undefined;
  const known = fields as readonly Field[];
  return compileCode(
    { prototypes, escaped },
    `(value) => {
      if (value.toJSON !== undefined) return undefined;
      const prototype = Object.getPrototypeOf(value);
      if (prototype !== Object.prototype && !prototypes.has(prototype)) return undefined;
      const names = Object.keys(value);
      let at = 0;
      ${known.map(readingOf).join('\n')}
      if (at !== names.length) return undefined;
      return { json: ${textOf(known, 'plain')}, quoted: ${textOf(known, 'quoted')} };
    }`,
  );
}

interface Field extends ObjectProperty {
  /** Variables for the value, and for how it is written in JSON and in JSON within a string. */
  readonly value: string;
  readonly plain: string;
  readonly quoted: string;
  readonly isText: boolean;
  readonly test: string;
}

function fieldOf(property: ObjectProperty, index: number): Field | undefined {
  const value = `value${index}`;
  const test = scalarTest(property.schema, value);
  const types = [property.schema['type']].flat();
  const isText = types.includes('string');
  // What is a text now and null then would have to be written in two ways.
  if (test === undefined || (isText && types.length > 1)) return undefined;
  const plain = `plain${index}`;
  return { ...property, value, plain, quoted: isText ? `quoted${index}` : plain, isText, test };
}

/** Reads the next field, if it is this one. */
function readingOf({ name, value, plain, quoted, isText, isRequired, test }: Field): string {
  const key = JSON.stringify(name);
  // Of other scalars, JSON is what they are as texts.
  const write = isText
    ? `${plain} = escaped(${value}); ${quoted} = ${plain} === ${value} ? ${value} : escaped(${plain});`
    : `${plain} = '' + ${value};`;
  const take = `if (!(${test})) return undefined; ${write}`;
  return `
    let ${isText ? `${value}, ${plain}, ${quoted}` : `${value}, ${plain}`};
    if (names[at] === ${key}) {
      at += 1;
      ${value} = value[${key}];
      ${isRequired ? take : `if (${value} !== undefined) { ${take} }`}
    }${isRequired ? ' else return undefined;' : ''}`;
}

/** An expression for the text of all fields: as few pieces as there can be, since each of them costs. */
function textOf(fields: readonly Field[], within: 'plain' | 'quoted'): string {
  const literal = (text: string): string => JSON.stringify(within === 'quoted' ? inside(text) : text);
  const pieces: string[] = [];
  // What stands between two fields is one piece, unless one of them may be missing.
  let pending = '{';
  fields.forEach((field, index) => {
    const before = fields.slice(0, index);
    const isSecond = before.some(({ isRequired }) => isRequired);
    const quote = field.isText ? '"' : '';
    const name = `${isSecond ? ',' : ''}${JSON.stringify(field.name)}:${quote}`;
    if (field.isRequired && (isSecond || index === 0)) {
      pieces.push(literal(pending + name), field[within]);
      pending = quote;
      return;
    }
    const missing = before.map(({ value }) => `${value} === undefined`).join(' && ');
    const comma = isSecond || index === 0 ? '' : `(${missing} ? '' : ',') + `;
    const text = `${comma}${literal(name)} + ${field[within]} + ${literal(quote)}`;
    pieces.push(literal(pending), field.isRequired ? text : `(${field.value} === undefined ? '' : ${text})`);
    pending = '';
  });
  return [...pieces, literal(`${pending}}`)].join(' + ');
}

/** What JSON may write in another way; of surrogates, only JSON knows which are pairs. */
const SPECIAL = /["\\\p{Cc}\p{Cs}]/u;

/** A text as it stands between the quotes of a JSON string. */
function escaped(text: string): string {
  return SPECIAL.test(text) ? inside(text) : text;
}

function inside(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
