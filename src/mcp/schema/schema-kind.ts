import type { DtoClass, StandardSchema } from '../protocol/schema-source.js';

/** True for a Zod, Valibot or ArkType schema, or any other that implements Standard Schema; ArkType's are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  const standard = (value as Record<string, unknown>)['~standard'];
  return (
    typeof standard === 'object' &&
    standard !== null &&
    typeof (standard as Record<string, unknown>)['validate'] === 'function'
  );
}

/** True for a class; whether its decorators make it a usable DTO is known once it is compiled. */
export function isDtoClass(value: unknown): value is DtoClass {
  return typeof value === 'function' && typeof value.prototype === 'object' && !isStandardSchema(value);
}
