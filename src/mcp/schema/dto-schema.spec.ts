import { Exclude, Expose, Transform, Type } from 'class-transformer';
import {
  Allow,
  ArrayMinSize,
  IsArray,
  IsDate,
  IsDateString,
  IsEmail,
  IsEnum,
  IsIn,
  IsInt,
  IsISO8601,
  IsNotEmpty,
  IsOptional,
  IsPositive,
  IsString,
  IsUrl,
  IsUUID,
  Length,
  Matches,
  Max,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';
import { describe, expect, it } from 'vitest';
import { ApiField } from './api-field.decorator.js';
import { compileSchema } from './compile-schema.js';

const inputOf = (dto: new () => object) => compileSchema(dto, 'Tools.run input', 'input').jsonSchema;
const outputOf = (dto: new () => object) => compileSchema(dto, 'Tools.run output', 'output').jsonSchema;
const inputError = (dto: new () => object) => () => inputOf(dto);

enum Colour {
  Red = 'red',
  Blue = 'blue',
}
enum Level {
  Low,
  High,
}

describe('the JSON Schema of a DTO', () => {
  it('is closed, lists what is required and carries descriptions and formats', () => {
    class Refund {
      @ApiField('Order number', { examples: ['ORD-000123'] }) @Matches(/^ORD-\d{6}$/) orderId!: string;
      @IsOptional() @Min(1) @IsInt() amountCents?: number;
      @IsEmail() email!: string;
      @IsUUID() id!: string;
      @IsDateString() day!: string;
      @IsISO8601() moment!: string;
      @IsUrl() link!: string;
      @Length(2, 4) @IsNotEmpty() code!: string;
    }
    expect(inputOf(Refund)).toEqual({
      type: 'object',
      properties: {
        orderId: { type: 'string', pattern: '^ORD-\\d{6}$', description: 'Order number', examples: ['ORD-000123'] },
        amountCents: { type: 'integer', minimum: 1 },
        email: { type: 'string', format: 'email' },
        id: { type: 'string', format: 'uuid' },
        day: { type: 'string', format: 'date-time' },
        moment: { type: 'string', format: 'date-time' },
        link: { type: 'string', format: 'uri' },
        code: { type: 'string', minLength: 2, maxLength: 4 },
      },
      required: ['orderId', 'email', 'id', 'day', 'moment', 'link', 'code'],
      additionalProperties: false,
    });
  });

  it('does not depend on the order in which decorators are written', () => {
    class Order {
      @IsInt() @Min(1) @IsNotEmpty() a!: number;
      @IsNotEmpty() @Min(1) @IsInt() b!: number;
    }
    expect(inputOf(Order)['properties']).toEqual({
      a: { type: 'integer', minimum: 1 },
      b: { type: 'integer', minimum: 1 },
    });
  });

  it('lists the values of string and numeric enums, alone and in arrays', () => {
    class Enums {
      @IsEnum(Colour) colour!: Colour;
      @IsEnum(Level) level!: Level;
      @IsArray() @ArrayMinSize(1) @IsEnum(Colour, { each: true }) colours!: Colour[];
      @IsIn(['a', 1]) mixed!: string | number;
    }
    expect(inputOf(Enums)['properties']).toEqual({
      colour: { type: 'string', enum: ['red', 'blue'] },
      level: { type: 'integer', enum: [0, 1] },
      colours: { type: 'array', minItems: 1, items: { type: 'string', enum: ['red', 'blue'] } },
      mixed: { enum: ['a', 1] },
    });
  });

  it('inlines nested classes and keeps two classes of the same name apart', () => {
    const sku = () => {
      class Item {
        @IsString() sku!: string;
      }
      return Item;
    };
    const quantity = () => {
      class Item {
        @IsInt() quantity!: number;
      }
      return Item;
    };
    const [Sku, Quantity] = [sku(), quantity()];
    class Cart {
      @ApiField('The product') @ValidateNested() @Type(() => Sku) item!: object;
      @ValidateNested({ each: true }) @Type(() => Quantity) amounts!: object[];
    }
    expect(inputOf(Cart)['properties']).toEqual({
      item: {
        type: 'object',
        properties: { sku: { type: 'string' } },
        required: ['sku'],
        additionalProperties: false,
        description: 'The product',
      },
      amounts: {
        type: 'array',
        items: {
          type: 'object',
          properties: { quantity: { type: 'integer' } },
          required: ['quantity'],
          additionalProperties: false,
        },
      },
    });
  });

  it('puts a recursive class under $defs', () => {
    class Folder {
      @IsString() name!: string;
      @ValidateNested({ each: true }) @Type(() => Folder) children!: Folder[];
    }
    const body = {
      type: 'object',
      properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/Folder' } } },
      required: ['name', 'children'],
      additionalProperties: false,
    };
    expect(inputOf(Folder)).toEqual({ ...body, $defs: { Folder: body } });
  });

  it('numbers recursive classes that share a name', () => {
    const make = (member: string) => {
      class Node {
        next?: object;
      }
      IsString()(Node.prototype, member);
      IsOptional()(Node.prototype, 'next');
      ValidateNested()(Node.prototype, 'next');
      Type(() => Node)(Node.prototype, 'next');
      return Node;
    };
    const [A, B] = [make('a'), make('b')];
    class Pair {
      @ValidateNested() @Type(() => A) a!: object;
      @ValidateNested() @Type(() => B) b!: object;
    }
    const schema = inputOf(Pair) as { $defs: Record<string, { required: string[] }>; properties: unknown };
    expect(schema.properties).toEqual({ a: { $ref: '#/$defs/Node' }, b: { $ref: '#/$defs/Node_2' } });
    expect([schema.$defs['Node']?.required, schema.$defs['Node_2']?.required]).toEqual([['a'], ['b']]);
  });

  it('writes a discriminated union as oneOf with a const tag', () => {
    class Pet {
      @IsString() name!: string;
    }
    class Dog extends Pet {
      @IsInt() bark!: number;
    }
    class Cat extends Pet {
      @IsInt() meow!: number;
    }
    const subTypes = [
      { value: Dog, name: 'dog' },
      { value: Cat, name: 'cat' },
    ];
    class Owner {
      @ValidateNested({ each: true }) @Type(() => Pet, { discriminator: { property: 'kind', subTypes } }) pets!: Pet[];
    }
    const member = (kind: string, own: string) => ({
      type: 'object',
      properties: { kind: { type: 'string', const: kind }, [own]: { type: 'integer' }, name: { type: 'string' } },
      required: ['kind', own, 'name'],
      additionalProperties: false,
    });
    expect(inputOf(Owner)['properties']).toEqual({
      pets: { type: 'array', items: { oneOf: [member('dog', 'bark'), member('cat', 'meow')] } },
    });
  });

  it('tells constant initialisers as defaults and makes every initialised field optional', () => {
    let next = 0;
    class Search {
      @IsInt() @Max(100) limit: number = 20;
      @IsString({ each: true }) tags: string[] = [];
      @IsInt() ticket: number = next++;
      @IsString() query!: string;
    }
    expect(inputOf(Search)).toEqual({
      type: 'object',
      properties: {
        limit: { type: 'integer', maximum: 100, default: 20 },
        tags: { type: 'array', items: { type: 'string' }, default: [] },
        ticket: { type: 'integer' },
        query: { type: 'string' },
      },
      required: ['query'],
      additionalProperties: false,
    });
  });

  it('promises in an output what a handler may send: defaults are present, optional values may be null', () => {
    class Receipt {
      @IsInt() cents: number = 0;
      @IsOptional() @IsString() note?: string | null;
      @Type(() => Date) @IsDate() at!: Date;
    }
    expect(outputOf(Receipt)).toEqual({
      type: 'object',
      properties: {
        cents: { type: 'integer' },
        note: { type: ['string', 'null'] },
        at: { type: 'string', format: 'date-time' },
      },
      required: ['cents', 'at'],
      additionalProperties: false,
    });
  });

  it('inherits properties, and a child replaces the constraints of its parent', () => {
    class Base {
      @ApiField('Name') @IsString() name!: string;
      @IsInt() age!: number;
    }
    class Child extends Base {}
    Length(1, 5)(Child.prototype, 'name');
    expect(inputOf(Child)['properties']).toEqual({
      name: { type: 'string', minLength: 1, maxLength: 5, description: 'Name' },
      age: { type: 'integer' },
    });
  });

  it('reads @JSONSchema and the description of @ApiProperty', () => {
    class Described {
      @JSONSchema({ description: 'Kilograms', examples: [2] }) @IsPositive() weight!: number;
      @JSONSchema((source) => ({ ...source, examples: ['kg'] })) @IsString() unit!: string;
      @IsString() name!: string;
    }
    Reflect.defineMetadata(
      'swagger/apiModelProperties',
      { type: String, description: 'Full name', required: true },
      Described.prototype,
      'name',
    );
    expect(inputOf(Described)['properties']).toEqual({
      weight: { type: 'number', exclusiveMinimum: 0, description: 'Kilograms', examples: [2] },
      unit: { type: 'string', examples: ['kg'] },
      name: { type: 'string', description: 'Full name' },
    });
  });

  it('follows @Expose and @Exclude in each direction', () => {
    class Account {
      @Expose({ name: 'display_name' }) @IsString() displayName!: string;
      @Exclude({ toPlainOnly: true }) @IsString() password!: string;
      @Expose() @IsString() get label(): string {
        return this.displayName;
      }
    }
    expect(Object.keys(inputOf(Account)['properties'] as object)).toEqual(['display_name', 'password']);
    expect(Object.keys(outputOf(Account)['properties'] as object)).toEqual(['display_name', 'label']);
  });

  it('shows of a class under @Exclude() only what @Expose() names', () => {
    @Exclude()
    class Hidden {
      @Expose() @IsString() shown!: string;
      @IsOptional() @IsString() hidden?: string;
    }
    expect(Object.keys(inputOf(Hidden)['properties'] as object)).toEqual(['shown']);
    expect(Object.keys(outputOf(Hidden)['properties'] as object)).toEqual(['shown']);
  });

  it('does not require a property under a condition, nor one that may be anything', () => {
    class Loose {
      @ValidateIf((dto: Loose) => dto.mode === 'x') @IsString() extra!: string;
      @Allow() anything!: string;
      @IsString() mode!: string;
    }
    expect(inputOf(Loose)).toMatchObject({
      properties: { extra: { type: 'string' }, anything: {} },
      required: ['mode'],
    });
  });

  it('leaves out a pattern that clients could not compile or would read otherwise', () => {
    class Patterns {
      @Matches(/^abc$/i) flags!: string;
      @Matches(new RegExp('a\\_b')) escapes!: string;
    }
    expect(inputOf(Patterns)['properties']).toEqual({ flags: { type: 'string' }, escapes: { type: 'string' } });
  });

  it('is deep-frozen', () => {
    class Frozen {
      @IsIn(['a']) a!: string;
    }
    const { properties } = inputOf(Frozen) as { properties: { a: { enum: string[] } } };
    expect(() => properties.a.enum.push('b')).toThrow(TypeError);
  });
});

describe('a DTO that cannot work stops the boot', () => {
  class Plain {
    name!: string;
  }
  class Nested {
    @IsString() name!: string;
  }

  it('without any decorator', () => {
    expect(inputError(Plain)).toThrow(
      'Tools.run input: Plain has no decorators, so its shape is unknown. Decorate its properties with class-validator or @ApiField().',
    );
  });

  it('with @ValidateNested() but no @Type()', () => {
    class Dto {
      @ValidateNested() nested!: Nested;
    }
    expect(inputError(Dto)).toThrow(
      'Tools.run input: Dto.nested has @ValidateNested(), but its class is unknown or has no decorators. Add @Type(() => TheNestedDto)',
    );
  });

  it('with @Type() of a DTO but no @ValidateNested()', () => {
    class Dto {
      @Type(() => Nested) @IsNotEmpty() nested!: Nested;
    }
    expect(inputError(Dto)).toThrow(
      'Dto.nested has @Type() with a nested DTO that nothing validates. Add @ValidateNested().',
    );
  });

  it('with @IsDate() but nothing that makes a Date', () => {
    class Dto {
      @IsDate() at!: Date;
    }
    expect(inputError(Dto)).toThrow('Dto.at has @IsDate(), but JSON carries dates as strings. Add @Type(() => Date)');
  });

  it('with a tag that class-transformer removes although it is validated', () => {
    class Dog {
      @IsString() kind!: string;
    }
    class Dto {
      @ValidateNested()
      @Type(() => Dog, { discriminator: { property: 'kind', subTypes: [{ value: Dog, name: 'dog' }] } })
      pet!: Dog;
    }
    expect(inputError(Dto)).toThrow('Set keepDiscriminatorProperty: true beside the discriminator.');
  });

  it('with an initialised field that nothing decorates', () => {
    class Dto {
      @IsString() name!: string;
      secret = 5;
    }
    expect(inputError(Dto)).toThrow('Dto.secret has a value but no decorator, so it would be refused as unknown.');
  });

  it('with a constructor that needs arguments', () => {
    class Dto {
      @IsString() name: string;
      constructor(from: { name: string }) {
        this.name = from.name;
      }
    }
    expect(() => compileSchema(Dto, 'Tools.run input', 'input')).toThrow(
      'Dto cannot be constructed without arguments. Give its constructor none.',
    );
  });
});

it('accepts a transformed property as whatever its transform reads', () => {
  class Dto {
    @Transform(({ value }: { value: string }) => value.split(',')) @IsString({ each: true }) tags!: string[];
  }
  expect(inputOf(Dto)['properties']).toEqual({ tags: { type: 'array', items: { type: 'string' } } });
});
