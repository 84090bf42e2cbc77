import { IsInt, IsOptional, IsString } from 'class-validator';
import { instanceToPlain } from 'class-transformer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Era } from '../../protocol/revisions.js';
import type { ToolCapability } from '../../registry/capability.js';
import { compileSchema } from '../../schema/compile-schema.js';
import type { SchemaSource } from '../../protocol/schema-source.js';
import { ResultEncoder } from './result-encoder.js';
import { encodeToolResult } from './tool-result.js';

const info = { name: 'shop "é"', version: '1' };
const meta = { 'io.modelcontextprotocol/serverInfo': info };
const encoder = new ResultEncoder(info, 10_000_000);

/** What the two specifications make of a value that JSON writes as `wire`, spelt out. */
function expected(wire: unknown, era: Era, wraps = false): string {
  const structured = JSON.parse(JSON.stringify(wire)) as unknown;
  const body = {
    content: [{ type: 'text', text: JSON.stringify(structured) }],
    structuredContent: wraps && era === 'session' ? { result: structured } : structured,
  };
  return JSON.stringify(era === 'session' ? body : { resultType: 'complete', ...body, _meta: meta });
}

function encoded(source: SchemaSource, value: unknown, era: Era, wrapOutput = false): unknown {
  const output = compileSchema(source, 'X.y output', 'output');
  const tool = { origin: 'X.y', output, wrapOutput } as unknown as ToolCapability;
  const outcome = encodeToolResult(encoder, tool, value, era);
  return outcome instanceof Promise ? 'a promise' : (outcome as { json: string }).json;
}

class Weather {
  @IsString() city!: string;
  @IsInt() days!: number;
  @IsOptional() @IsString() note?: string;
}
class Titled extends Weather {
  get title() {
    return this.city;
  }
  toJSON() {
    return 'not asked';
  }
}
const literal = { days: -0, city: 'Zürich "\\\n\u2028\ud800 😀' };
const anything = fc.oneof(fc.jsonValue({ maxDepth: 4 }), fc.string({ unit: 'binary' }), fc.double());

describe.each(['session', 'stateless'] as const)('the text of a result in the %s era', (era) => {
  it.each([
    ['a literal, in its own order', literal],
    ['an instance', Object.assign(new Weather(), literal)],
    ['an instance of a subclass', Object.assign(new Titled(), literal)],
    ['something undefined', { ...literal, note: undefined, more: undefined }],
    ['null', { ...literal, note: null }],
    ['a getter', { ...literal, get note() { return 'computed'; } }], // prettier-ignore
    ['a method, whose result is meant', { ...literal, note: () => 'called' }],
    ['a symbol', { ...literal, [Symbol('s')]: 1 }],
    ['what is not enumerable', Object.defineProperty({ ...literal }, 'more', { value: 1 })],
    ['a name that JSON alone can give', JSON.parse('{"__proto__":{"a":1},"city":"x","days":2}')],
    ['a constructor of its own', { ...literal, constructor: Object }],
    ['no prototype', Object.assign(Object.create(null) as object, literal)],
  ])('of a DTO with %s', (_name, value) => {
    const own = Object.getPrototypeOf(value) === Object.prototype;
    const given: unknown = own
      ? Object.create(Weather.prototype, Object.getOwnPropertyDescriptors(value as object))
      : value;

    expect(encoded(Weather, value, era)).toBe(expected(instanceToPlain(given), era));
  });

  it.each([
    ['a date', { at: new Date(0) }],
    ['a map', { at: new Map([[1, 2]]) }],
    ['bytes', { at: Buffer.from('a') }],
    ['holes', { at: Object.assign(Array<unknown>(4), { 0: 1, 2: undefined, 3: () => 1 }) }],
    ['what is no number', { at: [NaN, Infinity, -0, 1e21, 1e-7] }],
    ['boxes', { at: [new String('a'), new Number(1), new Boolean(false)] }],
    ['an array that knows its JSON', { at: Object.assign([1], { toJSON: () => 'asked' }) }],
    ['an object that knows its JSON', { at: Object.defineProperty({}, 'toJSON', { value: () => 'asked' }) }],
    ['nothing but undefined', { at: undefined, more: { at: undefined } }],
    ['the depth of a well', { at: Array.from({ length: 200 }).reduce<unknown>((inner) => [{ inner }], 1) }],
  ])('of a JSON Schema with %s', (_name, value) => {
    expect(encoded({ type: 'object' }, value, era)).toBe(expected(value, era));
  });

  it('of any JSON', () => {
    fc.assert(
      fc.property(anything, (at) => encoded({ type: 'object' }, { at }, era) === expected({ at }, era)),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(
        fc.array(anything),
        (value) => encoded({ type: 'array' }, value, era, true) === expected(value, era, true),
      ),
      { numRuns: 100 },
    );
  });

  it.each(['', 'plain', 'quo"ted \\ \n \ud800', '😀'])('without output schema, of %j', (value) => {
    const tool = { origin: 'X.y', output: undefined, wrapOutput: false } as unknown as ToolCapability;
    const body = { content: [{ type: 'text', text: value }] };

    expect(encodeToolResult(encoder, tool, value, era)).toEqual({
      kind: 'result',
      json: JSON.stringify(era === 'session' ? body : { resultType: 'complete', ...body, _meta: meta }),
    });
  });
});

it('a cycle is refused as ever', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;

  expect(() => encoded({ type: 'object' }, cyclic, 'session')).toThrow(/circular/);
});
