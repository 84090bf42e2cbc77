import type { SchemaIssue } from '../schema/compiled-schema.js';

/** The arguments of a call do not fit; the handler was not reached. */
export class InvalidArgumentsError extends Error {
  constructor(
    readonly issues: readonly SchemaIssue[],
    options?: ErrorOptions,
  ) {
    super('The arguments do not fit the schema.', options);
    this.name = 'InvalidArgumentsError';
  }
}
