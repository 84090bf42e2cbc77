/** A class whose class-validator decorators describe the value. */
export type DtoClass<T = object> = abstract new (...args: never[]) => T;

/** A JSON Schema 2020-12 document. */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** The part of https://standardschema.dev that Rookery reads: Zod 4, Valibot, ArkType and others implement it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown, ...rest: never[]) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a team may write where a schema is asked for. */
export type SchemaSource = DtoClass | StandardSchema | JsonSchema;

/** The value a handler receives for a schema, or an elicitation answers with. */
export type SchemaOutput<S> =
  S extends StandardSchema<infer _I, infer O> ? O : S extends DtoClass<infer T> ? T : Record<string, unknown>;

/** The value a handler may return for an output schema. */
export type SchemaInput<S> =
  S extends StandardSchema<infer I, infer _O> ? I : S extends DtoClass<infer T> ? T : Record<string, unknown>;
