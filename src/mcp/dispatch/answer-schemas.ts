import type { SchemaSource } from '../protocol/schema-source.js';
import { compileSchema } from '../schema/compile-schema.js';
import type { CompiledSchema } from '../schema/compiled-schema.js';
import { toElicitationSchema } from '../schema/elicitation-schema.js';
import { isDtoClass, isStandardSchema } from '../schema/schema-kind.js';
import type { JsonSchema } from '../protocol/schema-source.js';

interface AnswerSchema {
  readonly compiled: CompiledSchema;
  /** The flat form that `elicitation/create` allows. */
  readonly requested: JsonSchema;
}

/** Plain JSON Schemas kept at a time. They may be literals in a handler, new objects with each call. */
const LITERALS_KEPT = 256;

/** The schemas of questions to the user, each compiled once. */
export class AnswerSchemas {
  private readonly byIdentity = new WeakMap<object, AnswerSchema>();
  private readonly literals = new Map<string, AnswerSchema>();

  /** @throws Error naming the handler when the schema is more than a flat form */
  for(source: SchemaSource, where: string): AnswerSchema {
    const known = this.byIdentity.get(source);
    if (known) return known;
    const schema =
      isDtoClass(source) || isStandardSchema(source) ? compile(source, where) : this.literal(source, where);
    this.byIdentity.set(source, schema);
    return schema;
  }

  private literal(source: JsonSchema, where: string): AnswerSchema {
    const text = JSON.stringify(source);
    let schema = this.literals.get(text);
    if (!schema) {
      schema = compile(source, where);
      const oldest = this.literals.keys().next().value;
      if (this.literals.size >= LITERALS_KEPT && oldest !== undefined) this.literals.delete(oldest);
      this.literals.set(text, schema);
    }
    return schema;
  }
}

function compile(source: SchemaSource, where: string): AnswerSchema {
  const compiled = compileSchema(source, `${where} question`, 'input');
  return { compiled, requested: toElicitationSchema(compiled.jsonSchema, where) };
}
