import type { JsonSchema } from '../protocol/schema-source.js';
import type { JsonWriter } from './json-writer.js';

/** One reason why a value was refused, in words a model can act on. */
export interface SchemaIssue {
  /** Where, as `items[0].sku`; empty for the value itself. */
  readonly path: string;
  /** Why, as a sentence fragment such as `must be an integer`. */
  readonly message: string;
}

export type Validation<T = unknown> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly issues: readonly SchemaIssue[] };

/** A schema, converted and compiled once. */
export interface CompiledSchema<T = unknown> {
  /** JSON Schema 2020-12, frozen, as clients see it. */
  readonly jsonSchema: JsonSchema;
  /**
   * Checks a value. For input it yields what the handler receives: a class instance for a DTO, parsed output otherwise.
   * For output it takes what the handler returned and yields it as JSON.
   */
  validate(value: unknown): Validation<T> | Promise<Validation<T>>;
  /** For output, where there is one: checks and writes what most handlers return; all else is for `validate`. */
  readonly write?: JsonWriter | undefined;
}
