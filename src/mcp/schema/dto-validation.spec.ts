import { Exclude, Expose, Transform, Type } from 'class-transformer';
import {
  ArrayMinSize,
  IsArray,
  IsDate,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Min,
  registerDecorator,
  Validate,
  ValidateIf,
  ValidateNested,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiField } from './api-field.decorator.js';
import { compileSchema } from './compile-schema.js';

const accept = async (dto: new () => object, value: unknown) => {
  const result = await compileSchema(dto, 'Tools.run input', 'input').validate(value);
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.value;
};
const refuse = async (dto: new () => object, value: unknown) => {
  const result = await compileSchema(dto, 'Tools.run input', 'input').validate(value);
  return result.ok ? 'accepted' : result.issues;
};
const send = async (dto: new () => object, value: unknown) =>
  compileSchema(dto, 'Tools.run output', 'output').validate(value);

class Item {
  @Matches(/^[A-Z]{3}$/) sku!: string;
  @IsInt() @Min(1) quantity: number = 1;
}

class Order {
  @IsArray() @ArrayMinSize(1) @ValidateNested({ each: true }) @Type(() => Item) items!: Item[];
  @IsOptional() @Type(() => Date) @IsDate() due?: Date;
}

describe('validating DTO input', () => {
  it('yields instances, nested ones too, with dates and defaults in place', async () => {
    const order = (await accept(Order, { items: [{ sku: 'ABC' }], due: '2026-01-02T03:04:05Z' })) as Order;
    expect(order).toBeInstanceOf(Order);
    expect(order.items[0]).toBeInstanceOf(Item);
    expect(order.items[0]?.quantity).toBe(1);
    expect(order.due).toEqual(new Date('2026-01-02T03:04:05Z'));
  });

  it('names the path of a nested issue as the model wrote it', async () => {
    expect(await refuse(Order, { items: [{ sku: 'ABC' }, { sku: 'abc', quantity: 0 }] })).toEqual([
      { path: 'items[1].sku', message: 'must match /^[A-Z]{3}$/ regular expression' },
      { path: 'items[1].quantity', message: 'must not be less than 1' },
    ]);
  });

  it('says that a missing property is required and which properties are known', async () => {
    expect(await refuse(Order, { items: [{ skuu: 'ABC' }], extra: 1 })).toEqual([
      { path: 'extra', message: 'is not a known property; known are items, due' },
      { path: 'items[0].sku', message: 'is required' },
      { path: 'items[0].skuu', message: 'is not a known property; known are sku, quantity' },
    ]);
  });

  it.each([
    ['a string', 'x'],
    ['null', null],
    ['an array', []],
    ['nothing', undefined],
  ])('refuses %s in place of the arguments', async (_name, value) => {
    expect(await refuse(Order, value)).toEqual([{ path: '', message: 'must be object' }]);
  });

  it('refuses a single value where a list is declared, which class-validator alone would accept', async () => {
    class Tagged {
      @IsString({ each: true }) tags!: string[];
    }
    expect(await refuse(Tagged, { tags: 'one' })).toEqual([{ path: 'tags', message: 'must be array' }]);
  });

  it('runs transforms before the decorators, and coerces where @Type asks for it', async () => {
    class Dto {
      @Transform(({ value }: { value: string }) => value.trim()) @Matches(/^a+$/) name!: string;
      @Type(() => Number) @IsNumber() amount!: number;
    }
    expect(await accept(Dto, { name: ' aa ', amount: '5' })).toEqual({ name: 'aa', amount: 5 });
  });

  it('turns an error thrown by a transform into an issue without its text', async () => {
    class Dto {
      @Transform(() => {
        throw new Error('secret');
      })
      @IsString()
      name!: string;
    }
    expect(await refuse(Dto, { name: 'x' })).toEqual([
      { path: '', message: 'cannot be converted; check every value against the schema' },
    ]);
  });

  it('asks custom and asynchronous constraints', async () => {
    @ValidatorConstraint({ name: 'isEven' })
    class IsEven implements ValidatorConstraintInterface {
      validate(value: unknown): boolean {
        return Number(value) % 2 === 0;
      }
      defaultMessage(): string {
        return '$property must be even';
      }
    }
    const IsFree = (): PropertyDecorator => (target, propertyName) =>
      registerDecorator({
        name: 'isFree',
        target: target.constructor,
        propertyName: String(propertyName),
        async: true,
        options: { message: 'That name is taken' },
        validator: { validate: (value) => Promise.resolve(value !== 'taken') },
      });
    class Dto {
      @Validate(IsEven) even!: number;
      @IsFree() name!: string;
    }
    expect(await refuse(Dto, { even: 3, name: 'taken' })).toEqual([
      { path: 'even', message: 'must be even' },
      { path: 'name', message: 'That name is taken' },
    ]);
    expect(await accept(Dto, { even: 4, name: 'free' })).toEqual({ even: 4, name: 'free' });
  });

  it("lets an outage of an asynchronous constraint surface as an error, not as the caller's mistake", async () => {
    const Checked = (): PropertyDecorator => (target, propertyName) =>
      registerDecorator({
        name: 'checked',
        target: target.constructor,
        propertyName: String(propertyName),
        async: true,
        validator: { validate: () => Promise.reject(new Error('database is down')) },
      });
    class Dto {
      @Checked() name!: string;
    }
    await expect(refuse(Dto, { name: 'x' })).rejects.toThrow('database is down');
  });

  it('applies the constraints of @ValidateIf only when its condition holds', async () => {
    class Dto {
      @IsString() mode!: string;
      @ValidateIf((dto: Dto) => dto.mode === 'strict') @IsInt() size!: number;
    }
    expect(await refuse(Dto, { mode: 'strict', size: 'x' })).toEqual([
      { path: 'size', message: 'must be an integer number' },
    ]);
    expect(await accept(Dto, { mode: 'loose', size: 'x' })).toEqual({ mode: 'loose', size: 'x' });
  });

  it('refuses unknown properties of a nested object under a condition', async () => {
    class Inner {
      @IsInt() size!: number;
    }
    class Dto {
      @ValidateIf(() => true) @ValidateNested() @Type(() => Inner) inner!: Inner;
    }
    expect(await refuse(Dto, { inner: { size: 1, admin: true } })).toEqual([
      { path: 'inner.admin', message: 'is not a known property' },
    ]);
  });

  it('keeps the default of an exposed property', async () => {
    class Dto {
      @Expose() @IsInt() limit: number = 20;
    }
    expect(await accept(Dto, {})).toEqual({ limit: 20 });
  });

  it('accepts null for an optional property, as class-validator does', async () => {
    expect(await accept(Order, { items: [{ sku: 'ABC' }], due: null })).toMatchObject({ due: null });
  });

  it('enforces what @ApiField alone declares', async () => {
    class Dto {
      @ApiField('Nick name', { minLength: 2 }) nick!: string;
    }
    expect(await refuse(Dto, { nick: 'x' })).toEqual([
      { path: 'nick', message: 'must NOT have fewer than 2 characters' },
    ]);
    expect(await refuse(Dto, { nick: 1 })).toEqual([{ path: 'nick', message: 'must be string' }]);
  });

  it("chooses the class of a union by its tag and leaves the caller's value alone", async () => {
    class Pet {
      @IsString() name!: string;
    }
    class Dog extends Pet {
      @IsInt() bark!: number;
    }
    const subTypes = [{ value: Dog, name: 'dog' }];
    class Owner {
      @ValidateNested({ each: true }) @Type(() => Pet, { discriminator: { property: 'kind', subTypes } }) pets!: Pet[];
    }
    const value = { pets: [{ kind: 'dog', name: 'Rex', bark: 3 }] };
    expect(((await accept(Owner, value)) as Owner).pets[0]).toBeInstanceOf(Dog);
    expect(value).toEqual({ pets: [{ kind: 'dog', name: 'Rex', bark: 3 }] });
    expect(await refuse(Owner, { pets: [{ kind: 'bird', name: 'Tweety' }] })).toEqual([
      { path: 'pets[0]', message: 'must have a known "kind"' },
    ]);
    expect(await refuse(Owner, { pets: [null] })).toEqual([{ path: 'pets[0]', message: 'must be object' }]);
  });

  it.each([
    '{"__proto__":{"admin":true},"name":"x"}',
    '{"constructor":{"prototype":{"admin":true}},"name":"x"}',
    '{"toString":1,"name":"x"}',
  ])('refuses %s and pollutes nothing', async (json) => {
    class Dto {
      @IsString() name!: string;
    }
    expect(await refuse(Dto, JSON.parse(json))).toEqual([
      { path: expect.any(String), message: 'is not a known property; known are name' },
    ]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('answers whatever JSON it is given', async () => {
    const { validate } = compileSchema(Order, 'Tools.run input', 'input');
    const key = fc.constantFrom('items', 'due', 'sku', 'quantity', '__proto__', 'constructor', 'then', 'length');
    const json = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: 'small' }, fc.jsonValue(), fc.array(tie('value')), fc.dictionary(key, tie('value'))),
    })).value;
    await fc.assert(
      fc.asyncProperty(
        json,
        async (value) => typeof (await validate(JSON.parse(JSON.stringify(value)))).ok === 'boolean',
      ),
      { numRuns: 500 },
    );
  });

  it('tolerates a declared field without decorators, and refuses a value for it', async () => {
    class Dto {
      @IsString() name!: string;
      internal?: string;
    }
    expect(await accept(Dto, { name: 'x' })).toMatchObject({ name: 'x' });
    expect(await refuse(Dto, { name: 'x', internal: 'y' })).toEqual([
      { path: 'internal', message: 'is not a known property; known are name' },
    ]);
  });

  it('names properties as the wire does', async () => {
    class Dto {
      @Expose({ name: 'order_id' }) @Matches(/^a$/) orderId!: string;
    }
    expect(await refuse(Dto, { order_id: 'b' })).toEqual([
      { path: 'order_id', message: 'must match /^a$/ regular expression' },
    ]);
    expect(await accept(Dto, { order_id: 'a' })).toEqual({ orderId: 'a' });
  });

  it('reports at most twenty issues', async () => {
    const result = await refuse(Order, { items: Array.from({ length: 50 }, () => ({ sku: 'x' })) });
    expect(result).toHaveLength(20);
  });
});

describe('validating DTO output', () => {
  class Receipt {
    @IsInt() cents: number = 0;
    @Type(() => Date) @IsDate() at!: Date;
    @IsOptional() @IsString() note?: string | null;
    @Exclude() secret?: string;
  }

  it('yields the JSON of an instance, without what @Exclude hides', async () => {
    const receipt = Object.assign(new Receipt(), {
      cents: 5,
      at: new Date('2026-01-02T03:04:05Z'),
      note: null,
      secret: 'x',
    });
    expect(await send(Receipt, receipt)).toEqual({
      ok: true,
      value: { cents: 5, at: '2026-01-02T03:04:05.000Z', note: null },
    });
  });

  it('treats a literal like an instance', async () => {
    const literal = { cents: 5, at: new Date('2026-01-02T03:04:05Z'), secret: 'x' };
    expect(await send(Receipt, literal)).toEqual({ ok: true, value: { cents: 5, at: '2026-01-02T03:04:05.000Z' } });
    expect(literal.secret).toBe('x');
  });

  it('refuses what clients would refuse by the published schema', async () => {
    expect(await send(Receipt, { cents: 'five', at: 'today', extra: 1 })).toEqual({
      ok: false,
      issues: expect.arrayContaining([
        { path: 'extra', message: 'is not a known property; known are cents, at, note' },
        { path: 'cents', message: 'must be integer' },
        { path: 'at', message: 'must be string' },
      ]),
    });
  });

  it('tags the members of a union by their class, and takes literals that bring their tag', async () => {
    class Dog {
      @IsInt() bark!: number;
    }
    class Owner {
      @ValidateNested()
      @Type(() => Dog, { discriminator: { property: 'kind', subTypes: [{ value: Dog, name: 'dog' }] } })
      pet!: object;
    }
    const owner = Object.assign(new Owner(), { pet: Object.assign(new Dog(), { bark: 1 }) });
    const wire = { ok: true, value: { pet: { kind: 'dog', bark: 1 } } };
    expect(await send(Owner, owner)).toEqual(wire);
    expect(await send(Owner, { pet: { kind: 'dog', bark: 1 } })).toEqual(wire);
  });

  it('refuses a cyclic value', async () => {
    const cyclic: Record<string, unknown> = { cents: 1 };
    cyclic['self'] = cyclic;
    expect(await send(Receipt, cyclic)).toEqual({
      ok: false,
      issues: [{ path: '', message: 'cannot be converted; check every value against the schema' }],
    });
  });
});
