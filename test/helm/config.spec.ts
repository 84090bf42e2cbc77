import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONFIG_SCHEMA, readConfig } from '../../src/app/config.js';
import { compile, valuesSchema } from './support/values-schema.js';
import type { Json } from './support/json.js';

type Bounds = Record<string, Json>;

const CONFIG = valuesSchema()['properties'].config;
const PROPERTIES: Record<string, Bounds> = CONFIG.properties;
const accepts = compile({ ...CONFIG, definitions: valuesSchema()['definitions'] ?? {} });

/** Values that the server takes and the chart does not. */
const STRICTER: Readonly<Record<string, (value: string) => boolean>> = {
  // 0 is any free port, and a Service has to name it.
  PORT: (value) => Number(value) === 0,
  MANAGEMENT_PORT: (value) => Number(value) === 0,
  // The server looks at these later, with all the others, or fails when it calls them.
  AUTH_ALGORITHMS: () => true,
  ...Object.fromEntries(
    Object.keys(CONFIG_SCHEMA.shape)
      .filter((name) => /_(URL|URI|RESOURCE|ENDPOINT)$/.test(name))
      .map((name) => [name, (value: string) => !/^https?:/.test(value)]),
  ),
};

/** What may not be in a ConfigMap: rendering fails, whatever the value; see refusals.spec.ts. */
const SECRETS = ['AUDIT_DIGEST_KEY'];

/** As the ConfigMap writes it. */
const textOf = (value: string | number | boolean) => String(value);

function serverTakes(name: string, value: string | number | boolean): boolean {
  try {
    readConfig({ [name]: textOf(value) });
    return true;
  } catch {
    return false;
  }
}

/** Values on both sides of every line that either schema draws. */
function candidates(name: string): fc.Arbitrary<string | number | boolean> {
  const { minimum = 0, maximum = 2 ** 31 - 1, enum: choices = [] } = PROPERTIES[name] ?? {};
  const edges = [minimum - 1, minimum, minimum + 1, maximum - 1, maximum, maximum + 1];
  return fc.oneof(
    fc.constantFrom(...edges, ...edges.map(String)),
    fc.integer({ min: -10, max: 2 ** 31 }),
    fc.constantFrom(
      'true',
      'false',
      'yes',
      true,
      false,
      1.5,
      '1.5',
      '1e3',
      '007',
      ' 1',
      'a b',
      'a,b',
      'a>b',
      '/a',
      'a',
    ),
    fc.constantFrom(
      'https://example.com/a',
      'http://127.0.0.1:4318',
      'redis://r:6379',
      'not-base64!',
      'AAAA',
      'a'.repeat(300),
    ),
    fc.constantFrom('oauth', 'none', 'info', 'json', 'nobody', 'closed', 'Auth=debug,Sessions=warn', 'Auth=loud'),
    ...(choices.length > 0 ? [fc.constantFrom(...choices)] : []),
    fc.string({ minLength: 1, maxLength: 12 }),
  );
}

/** Whether a value is written as the variable's type is: a text is not 5, and a number not "5". */
function isNatural(name: string, value: string | number | boolean): boolean {
  const { type, enum: choices = [] } = PROPERTIES[name] ?? {};
  const types = [type ?? [...new Set(choices.map((choice: unknown) => typeof choice))]].flat();
  if (types.includes('integer') || types.includes('number')) return typeof value === 'number';
  if (types.includes('boolean')) return typeof value === 'boolean';
  return typeof value === 'string';
}

describe('config in values.schema.json', () => {
  it('has the variables of the server, all of them, and no others', () => {
    expect(Object.keys(PROPERTIES).sort()).toEqual(Object.keys(CONFIG_SCHEMA.shape).sort());
    expect(CONFIG.additionalProperties).toBe(false);
  });

  it('tells what each is for', () => {
    expect(Object.keys(PROPERTIES).filter((name) => !PROPERTIES[name]?.['description'])).toEqual([]);
  });

  const shown = Object.keys(PROPERTIES).filter((name) => !SECRETS.includes(name));
  it.each(shown)('takes of %s nothing that the server refuses', (name) => {
    fc.assert(
      fc.property(candidates(name), (value) => !accepts({ [name]: value }) || serverTakes(name, value)),
      { seed: 5, numRuns: 300 },
    );
  });

  it.each(Object.keys(PROPERTIES))('takes of %s what the server takes', (name) => {
    const isUsual = (value: string | number | boolean) =>
      isNatural(name, value) && STRICTER[name]?.(textOf(value)) !== true;
    fc.assert(
      fc.property(
        candidates(name),
        (value) => !isUsual(value) || !serverTakes(name, value) || accepts({ [name]: value }),
      ),
      { seed: 5, numRuns: 300 },
    );
  });

  it('takes numbers and truth as themselves', () => {
    expect(accepts({ MCP_SESSION_MAX_MS: 86_400_000, MCP_JSON_ONLY: true, OTEL_TRACES_SAMPLER_ARG: 0.1 })).toBe(true);
  });
});
