import * as cv from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertDto } from './compile-dto.js';
import { compileValidator } from './json-schema-validator.js';

enum Colour {
  Red = 'red',
  Blue = 'blue',
}
enum Level {
  Low,
  High,
}

/** Strings near the borders of what string decorators accept, among anything else JSON can carry. */
const SAMPLES = [
  '',
  'a',
  'abc',
  'ABC',
  'abcdef',
  'a.b',
  'axb',
  'ärger',
  '12',
  '12.5',
  '-3',
  '0x1F',
  '#fff',
  '#ffff',
  '#12345678',
  'true',
  '1',
  'red',
  'Low',
  'a@b.de',
  'jörg@b.de',
  'example.com',
  'https://example.com/a',
  'c0ffee00-0000-4000-8000-000000000000',
  '2026-01-02',
  '2026-01-02T03:04:05Z',
  '2026-W01-1',
  '10.0.0.1',
  '::1',
  '{"a":1}',
  'YWJj',
  '507f1f77bcf86cd799439011',
  '23:59',
  '+4915123456789',
  '😀',
  '😀😀😀',
  '12,50 €',
  'localhost',
  'ａ',
  '①',
  '4111111111111111',
  '978-3-16-148410-0',
  '$12.50',
  '48.1,11.5',
  '8080',
  '1.2.3',
];
const scalar = fc.oneof(
  fc.constantFrom(...SAMPLES),
  fc.string(),
  fc.integer({ min: -20, max: 20 }),
  fc.double({ noNaN: true }),
  fc.boolean(),
);
const anything = fc.oneof(scalar, fc.array(scalar, { maxLength: 4 }), fc.constant(null), fc.jsonValue({ maxDepth: 2 }));

const decorators: [string, PropertyDecorator][] = [
  ['IsString', cv.IsString()],
  ['IsInt', cv.IsInt()],
  ['IsNumber', cv.IsNumber()],
  ['IsNumber, two places', cv.IsNumber({ maxDecimalPlaces: 2 })],
  ['IsBoolean', cv.IsBoolean()],
  ['IsArray', cv.IsArray()],
  ['IsObject', cv.IsObject()],
  ['IsNotEmptyObject', cv.IsNotEmptyObject()],
  ['IsDefined', cv.IsDefined()],
  ['IsNotEmpty', cv.IsNotEmpty()],
  ['IsEmpty', cv.IsEmpty()],
  ['Equals', cv.Equals('a')],
  ['NotEquals', cv.NotEquals('a')],
  ['IsIn', cv.IsIn(['a', 12, true])],
  ['IsNotIn', cv.IsNotIn(['a', 'abc'])],
  ['IsEnum', cv.IsEnum(Colour)],
  ['Min', cv.Min(3)],
  ['Max', cv.Max(3)],
  ['IsPositive', cv.IsPositive()],
  ['IsNegative', cv.IsNegative()],
  ['MinLength', cv.MinLength(2)],
  ['MaxLength', cv.MaxLength(2)],
  ['Length', cv.Length(1, 3)],
  ['Contains', cv.Contains('a.b')],
  ['NotContains', cv.NotContains('a.b')],
  ['Matches', cv.Matches(/^a/)],
  ['Matches, any case', cv.Matches(/^a/i)],
  ['IsAlpha', cv.IsAlpha()],
  ['IsAlpha de-DE', cv.IsAlpha('de-DE')],
  ['IsAlphanumeric', cv.IsAlphanumeric()],
  ['IsAscii', cv.IsAscii()],
  ['IsNumberString', cv.IsNumberString()],
  ['IsBooleanString', cv.IsBooleanString()],
  ['IsBase64', cv.IsBase64()],
  ['IsJSON', cv.IsJSON()],
  ['IsHexColor', cv.IsHexColor()],
  ['IsHexadecimal', cv.IsHexadecimal()],
  ['IsMongoId', cv.IsMongoId()],
  ['IsMilitaryTime', cv.IsMilitaryTime()],
  ['IsEmail', cv.IsEmail()],
  ['IsUrl', cv.IsUrl()],
  ['IsUUID', cv.IsUUID()],
  ['IsIP', cv.IsIP()],
  ['IsIP 6', cv.IsIP(6)],
  ['IsFQDN', cv.IsFQDN()],
  ['IsDateString', cv.IsDateString()],
  ['IsISO8601', cv.IsISO8601()],
  ['IsPhoneNumber', cv.IsPhoneNumber()],
  ['IsMobilePhone', cv.IsMobilePhone()],
  ['IsCurrency', cv.IsCurrency()],
  ['IsCreditCard', cv.IsCreditCard()],
  ['IsISBN', cv.IsISBN()],
  ['IsLowercase', cv.IsLowercase()],
  ['IsSurrogatePair', cv.IsSurrogatePair()],
  ['IsMultibyte', cv.IsMultibyte()],
  ['IsFullWidth', cv.IsFullWidth()],
  ['IsHalfWidth', cv.IsHalfWidth()],
  ['IsVariableWidth', cv.IsVariableWidth()],
  ['IsByteLength', cv.IsByteLength(1, 3)],
  ['IsLatLong', cv.IsLatLong()],
  ['IsPort', cv.IsPort()],
  ['IsSemVer', cv.IsSemVer()],
  ['ArrayNotEmpty', cv.ArrayNotEmpty()],
  ['ArrayMinSize', cv.ArrayMinSize(2)],
  ['ArrayMaxSize', cv.ArrayMaxSize(2)],
  ['ArrayContains', cv.ArrayContains(['a'])],
  ['ArrayNotContains', cv.ArrayNotContains(['a'])],
  ['IsOptional, IsString', optionalString],
];

function optionalString(target: object, property: string | symbol): void {
  cv.IsOptional()(target, property);
  cv.IsString()(target, property);
}

const both = (decorate: PropertyDecorator) => {
  class Dto {
    declare value: unknown;
  }
  decorate(Dto.prototype, 'value');
  const gate = compileValidator(convertDto(Dto, 'Dto', 'gate'), 'Dto');
  return {
    gate: (value: unknown) => gate({ value }).length === 0,
    decorators: (value: unknown) => isValid(Object.assign(new Dto(), { value })),
  };
};

/** Some decorators throw instead of answering, @IsNumber({ maxDecimalPlaces }) on 3e-323 for one. */
function isValid(dto: object): boolean {
  try {
    return cv.validateSync(dto).length === 0;
  } catch {
    return false;
  }
}

describe('the gate refuses nothing that class-validator accepts', () => {
  it.each(decorators)('@%s', (_name, decorate) => {
    const accepts = both(decorate);
    fc.assert(
      fc.property<[unknown]>(anything, (value) => !accepts.decorators(value) || accepts.gate(value)),
      { numRuns: 400, examples: SAMPLES.map((sample) => [sample]) },
    );
  });
});

describe('the gate is stricter, as the published schema is, where class-validator is loose by accident', () => {
  it.each<[string, PropertyDecorator, unknown]>([
    ['a single value for { each: true }', cv.IsString({ each: true }), 'one'],
    ['the name of a numeric enum member', cv.IsEnum(Level), 'Low'],
    ['equal objects in a unique array', cv.ArrayUnique(), [{}, {}]],
  ])('%s', (_name, decorate, value) => {
    const accepts = both(decorate);
    expect([accepts.decorators(value), accepts.gate(value)]).toEqual([true, false]);
  });
});
