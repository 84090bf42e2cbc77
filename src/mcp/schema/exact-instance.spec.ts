import { Exclude, Expose, Transform, Type } from 'class-transformer';
import * as cv from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiField } from './api-field.decorator.js';
import { convertDto, inputValidator } from './compile-dto.js';
import type { Dto } from './dto-metadata.js';
import { exactInstance } from './exact-instance.js';
import { compileValidator } from './json-schema-validator.js';

enum Colour {
  Red = 'red',
  Blue = 'blue',
}
class Forecast {
  @ApiField('City') @cv.IsString() @cv.MaxLength(3) city!: string;
  @ApiField('Days') @cv.IsInt() @cv.Min(1) @cv.Max(14) days!: number;
  @ApiField('Unit') @cv.IsIn(['celsius', 'fahrenheit', 1]) unit!: string;
}
class Bounds {
  @cv.IsInt() whole!: number;
  @cv.IsNumber() any!: number;
  @cv.IsNumber({ maxDecimalPlaces: 1 }) places!: number;
  @cv.IsPositive() positive!: number;
  @cv.IsBoolean() flag!: boolean;
}
class Texts {
  @cv.Length(2, 3) length!: string;
  @cv.MinLength(2) least!: string;
  @cv.Matches(/^.$/) dot!: string;
  @cv.IsNotEmpty() @cv.IsString() some!: string;
  @cv.IsOptional() @cv.IsEmail() email?: string | null;
  @cv.IsEnum(Colour) colour!: Colour;
}
class Defaults {
  @cv.IsOptional() @cv.IsInt() @cv.Max(5) page: number = 1;
  @cv.IsInt() @cv.Max(5) tooMuch: number = 9;
  @cv.IsOptional() @cv.IsInt({ each: true }) list: number[] = [1];
  @cv.IsOptional() @cv.IsString({ each: true }) tags: string[] = ['a'];
  @cv.IsOptional() @cv.IsBoolean() flag: boolean | null = null;
  undecorated?: string;
}
class Undeclared {
  @cv.IsString() declare b: string;
  @cv.IsOptional() @cv.IsString() declare a?: string;
}
class Point {
  @cv.IsInt() @cv.Min(-9) @cv.Max(9) x!: number;
  @cv.IsInt() y: number = 7;
}
class Line {
  @cv.ValidateNested() @Type(() => Point) from!: Point;
  @cv.IsOptional() @cv.ValidateNested() @Type(() => Point) to?: Point | null;
  @cv.IsArray() @cv.ArrayMaxSize(2) @cv.ValidateNested({ each: true }) @Type(() => Point) via!: Point[];
  @cv.IsInt({ each: true }) @cv.ArrayNotEmpty() @cv.ArrayUnique() weights!: number[];
}
class Overruled {
  @ApiField('Longer than the decorator says', { maxLength: 9 }) @cv.MaxLength(2) @cv.IsString() text!: string;
  @ApiField('Anything', { type: ['string', 'number'] }) @cv.IsString() odd!: string;
  @ApiField('Alone') alone!: string;
}

const cases: [Dto, fitting: Record<string, unknown>][] = [
  [Forecast, { city: '😀😀😀', days: 14, unit: 1 }],
  [Bounds, { whole: -0, any: 1e300, places: 0.5, positive: 0.1, flag: false }],
  [Texts, { length: 'ab', least: '😀😀', dot: 'a', some: 'x', email: null, colour: 'red' }],
  [Defaults, { tooMuch: 1, tags: ['b', 'c'], list: [] }],
  [Undeclared, { b: 'x', a: 'y' }],
  [Point, { x: 1 }],
  [Line, { from: { x: 1 }, to: null, via: [{ y: 2, x: 1 }], weights: [1, 2] }],
  [Overruled, { text: 'ab', odd: 'x', alone: '' }],
];

const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'ab',
    'abc',
    'abcd',
    'é',
    '😀',
    '😀😀😀',
    '😀😀😀😀',
    'a\ufe0fb\ufe0f',
    '\ufe0f',
    '\ud800',
    'a@b.de',
  ),
  fc.constantFrom('red', 'Red', 'celsius', 'kelvin', '1', 'toString', '__proto__'),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
const number = fc.oneof(
  fc.constantFrom(-0, 0, 1, 9, 14, 15, 1.5, 1e9, 1e300, 2 ** 53, 5e-324, Infinity),
  fc.integer(),
  fc.double({ noNaN: true }),
);
const scalar = fc.oneof(text, number, fc.boolean(), fc.constant(null));
const { value } = fc.letrec<{ value: unknown; object: object }>((tie) => ({
  value: fc.oneof({ depthSize: 'small' }, scalar, scalar, fc.array(tie('value'), { maxLength: 3 }), tie('object')),
  object: fc.dictionary(fc.constantFrom('x', 'y', 'from', 'extra', '__proto__', 'constructor', 'then'), tie('value'), {
    maxKeys: 3,
    noNullPrototype: true,
  }),
}));

/** Values that are likely to fit: each property gets one of its own kind more often than anything else. */
const likely: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  days: fc.integer({ min: 0, max: 15 }),
  unit: fc.constantFrom('celsius', 'fahrenheit', 1),
  flag: fc.boolean(),
  page: fc.integer({ min: 0, max: 6 }),
  tooMuch: fc.integer({ min: 0, max: 6 }),
  colour: fc.constantFrom('red', 'blue'),
  tags: fc.array(text, { maxLength: 2 }),
  weights: fc.array(fc.constantFrom(1, 2, -0, 0), { maxLength: 3 }),
  dot: fc.constantFrom('a', '😀', '\n'),
  email: fc.constantFrom('a@b.de', 'x', null),
  length: fc.constantFrom('ab', 'abc', 'a', 'a\ufe0fb\ufe0f', '😀😀'),
  least: fc.constantFrom('ab', 'abc', 'a\ufe0f', '\ufe0f\ufe0f', '😀😀'),
  some: fc.constantFrom('a', '😀', ''),
  places: fc.constantFrom(0, 1.5, 0.25, -0, 5e-324),
  positive: fc.constantFrom(1, 0.5, 0, -1, Infinity),
  whole: fc.constantFrom(1, -0, 1e300, Infinity, 0.5),
  y: fc.constantFrom(1, -0, 1e300, Infinity, 0.5),
  x: fc.integer({ min: -10, max: 10 }),
};
const point = fc.record(
  { x: fc.integer({ min: -10, max: 10 }), y: fc.constantFrom(1, -0, 0.5) },
  { requiredKeys: ['x'] },
);
for (const name of ['any']) (likely as Record<string, unknown>)[name] = number;
for (const name of ['from', 'to']) (likely as Record<string, unknown>)[name] = point;
(likely as Record<string, unknown>)['via'] = fc.array(point, { maxLength: 3 });

/** Arguments for a class as JSON.parse gives them: mostly fitting, in any order, with absent and unknown properties. */
function argumentsOf(dto: Dto): fc.Arbitrary<unknown> {
  const names = Object.keys(convertDto(dto, 'Dto', 'gate')['properties'] as object);
  const field = (name: string) =>
    fc
      .oneof({ weight: 25, arbitrary: likely[name] ?? text }, { weight: 1, arbitrary: value })
      .map((given) => [name, given] as const);
  const fields = fc.tuple(...names.map(field));
  const extra = fc.tuple(fc.constantFrom('extra', '__proto__', 'constructor', 'toString', 'undecorated'), value);
  const record = fc
    .tuple(fields, fc.option(extra, { freq: 12 }), fc.nat({ max: 40 }), fc.boolean())
    .map(([own, more, drop, isReversed]) => {
      const entries = [...own.filter((_, index) => index !== drop), ...(more ? [more] : [])];
      const json = (isReversed ? entries.reverse() : entries).map(
        ([name, given]) => `${JSON.stringify(name)}:${textOf(given)}`,
      );
      return JSON.parse(`{${json.join(',')}}`) as unknown;
    });
  return fc.oneof({ weight: 20, arbitrary: record }, { weight: 1, arbitrary: value });
}

/** JSON can carry -0, and what JSON.parse makes Infinity of. */
function textOf(given: unknown): string {
  if (given === Infinity) return '1e999';
  if (Object.is(given, -0)) return '-0';
  if (Array.isArray(given)) return `[${given.map(textOf).join(',')}]`;
  if (typeof given !== 'object' || given === null) return JSON.stringify(given);
  return `{${Object.entries(given)
    .map(([name, inner]) => `${JSON.stringify(name)}:${textOf(inner)}`)
    .join(',')}}`;
}

function compiled(dto: Dto) {
  const schema = convertDto(dto, 'Dto', 'gate');
  const gate = compileValidator(schema, 'Dto');
  const make = exactInstance(dto, schema);
  return { make, quick: inputValidator(dto, gate, make), slow: inputValidator(dto, gate) };
}

/** All that can be told apart of a value: classes, the order of properties, -0. */
function image(given: unknown): unknown {
  if (Array.isArray(given)) return given.map(image);
  if (typeof given !== 'object' || given === null) return Object.is(given, -0) ? 'minus zero' : given;
  return { class: given.constructor, fields: Object.entries(given).map(([name, inner]) => [name, image(inner)]) };
}

describe('an instance made without class-transformer and class-validator', () => {
  it.each(cases)('of %o is the one they make', async (dto, fitting) => {
    const { quick, slow } = compiled(dto);
    await fc.assert(
      fc.asyncProperty(argumentsOf(dto), async (given) => {
        const [fast, decided] = [await quick(given), await slow(given)];

        expect(fast.ok).toBe(decided.ok);
        expect(image(fast)).toEqual(image(decided));
      }),
      { numRuns: 500, examples: [[fitting]] },
    );
    expect(quick(fitting)).toMatchObject({ ok: true });
  });

  it('shares nothing that can be changed with the arguments', async () => {
    const given = { from: { x: 1 }, via: [{ x: 2 }], weights: [1] };
    const { value: line } = (await compiled(Line).quick(given)) as { value: Line };

    line.from.x = line.via[0]!.x = line.weights[0] = 5;
    expect(given).toEqual({ from: { x: 1 }, via: [{ x: 2 }], weights: [1] });
  });

  it('is not made where an initialiser gives something else each time, or something invalid', async () => {
    let made = 0;
    class Counted {
      @cv.IsInt() count: number = (made += 1);
      @cv.IsInt() @cv.Max(5) tooMuch: number = 9;
    }
    const { quick } = compiled(Counted);

    expect(quick({ tooMuch: 1 })).toBeInstanceOf(Promise);
    expect(await quick({ count: 1 })).toMatchObject({ ok: false, issues: [{ path: 'tooMuch' }] });
    expect(quick({ count: 1, tooMuch: 1 })).toMatchObject({ ok: true });
  });

  it('needs no promise', () => {
    expect(compiled(Forecast).quick({ city: 'a', days: 1, unit: 'celsius' })).toEqual({
      ok: true,
      value: Object.assign(new Forecast(), { city: 'a', days: 1, unit: 'celsius' }),
    });
  });
});

describe('both libraries are asked about a class with', () => {
  const IsCustom = (): PropertyDecorator => (target, property) =>
    cv.registerDecorator({
      target: target.constructor,
      propertyName: String(property),
      name: 'custom',
      validator: { validate: () => true },
    });
  it.each<[string, ...PropertyDecorator[]]>([
    ['a transform', Transform(({ value: given }: { value: unknown }) => given), cv.IsString()],
    ['a coercion', Type(() => Number), cv.IsInt()],
    ['a date', Type(() => Date), cv.IsDate()],
    ['a name of its own on the wire', Expose({ name: 'other' }), cv.IsString()],
    ['an excluded property', Exclude(), cv.IsString()],
    ['a condition', cv.ValidateIf(() => true), cv.IsString()],
    ['a group', cv.IsString({ groups: ['admin'] })],
    ['a constraint of a team', IsCustom(), cv.IsString()],
    ['a sticky pattern', cv.Matches(/a/y)],
    ['any object', cv.IsObject()],
    ['anything', cv.Allow()],
  ])('%s', (_name, ...decorators) => {
    class Dto {
      declare field: unknown;
    }
    for (const decorate of decorators) decorate(Dto.prototype, 'field');

    expect(compiled(Dto).make).toBeUndefined();
  });

  it('a constructor, a setter or a method that does more than to hold the value', () => {
    class Frozen {
      @cv.IsString() name!: string;
      constructor() {
        Object.freeze(this);
      }
    }
    class Setter {
      private held = '';
      @cv.IsString()
      set name(given: string) {
        this.held = given.trim();
      }
      get name(): string {
        return this.held;
      }
    }
    expect([Frozen, Setter].map((dto) => compiled(dto).make)).toEqual([undefined, undefined]);
  });
});

it('a constraint of a team that has the name of one of class-validator’s is asked itself', async () => {
  const IsString = (): PropertyDecorator => (target, property) =>
    cv.registerDecorator({
      target: target.constructor,
      propertyName: String(property),
      name: 'isString',
      validator: { validate: (given) => typeof given === 'string' && given !== 'a' },
    });
  class Dto {
    @IsString() name!: string;
  }
  const { quick } = compiled(Dto);

  expect([await quick({ name: 'a' }), await quick({ name: 'b' })]).toMatchObject([{ ok: false }, { ok: true }]);
});
