import type { JsonSchema } from '../protocol/schema-source.js';
import { type ObjectProperty, closedObject, compileCode, scalarTest } from './schema-code.js';

/** True only of values that fit; of others, and of some that fit, Ajv has the say. */
export type QuickCheck = (value: unknown) => boolean;

/**
 * Compiles the check that most values pass: that of an object whose properties are scalars, as arguments mostly are.
 * Only its own properties count, each is read once, and nothing is called on the way.
 *
 * @returns `undefined` for a schema that says more than that
 */
export function quickCheck(schema: JsonSchema): QuickCheck | undefined {
  const properties = closedObject(schema);
  const cases = properties?.map(caseOf);
  if (!properties || !cases || cases.includes(undefined)) return undefined;
  const required = properties.filter(({ isRequired }) => isRequired).length;
  return compileCode(
    {},
    `(value) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
      const names = Object.keys(value);
      let required = 0;
      for (let at = 0; at < names.length; at += 1) {
        switch (names[at]) {
          ${cases.join('\n')}
          default: return false;
        }
      }
      return required === ${required};
    }`,
  );
}

function caseOf({ name, schema, isRequired }: ObjectProperty): string | undefined {
  const test = scalarTest(schema, 'field');
  if (test === undefined) return undefined;
  const key = JSON.stringify(name);
  return `case ${key}: {
    const field = value[${key}];
    if (!(${test})) return false;
    ${isRequired ? 'required += 1;' : ''}
    break;
  }`;
}
