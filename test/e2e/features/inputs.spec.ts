import { Injectable } from '@nestjs/common';
import { type } from 'arktype';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsDate,
  IsEmail,
  IsEnum,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Min,
  ValidateNested,
} from 'class-validator';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ApiField, McpTool, withJsonSchema } from '../../../src/index.js';
import { ERAS, serve } from '../nest/serve.js';

const said = (value: unknown) => ({
  content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }],
});
const refused = (...lines: string[]) => ({
  isError: true,
  content: [{ type: 'text', text: ['Invalid arguments:', ...lines].join('\n') }],
});

describe.each(ERAS)('arguments by a DTO in the %s era', (era) => {
  it('are nested, in arrays, optional, and instances when they reach the method', async () => {
    class Item {
      @IsString()
      sku!: string;
      @IsInt()
      @Min(1)
      count!: number;
    }
    class OrderInput {
      @ValidateNested({ each: true })
      @Type(() => Item)
      @ArrayMaxSize(2)
      items!: Item[];
      @IsOptional()
      @IsEmail()
      email?: string;
    }
    @Injectable()
    class Tools {
      @McpTool()
      order(input: OrderInput): object {
        const instances = [input instanceof OrderInput, ...input.items.map((item) => item instanceof Item)];
        return { instances, items: input.items };
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.call('order', { items: [{ sku: 'a', count: 1 }] })).toEqual(
      said({ instances: [true, true], items: [{ sku: 'a', count: 1 }] }),
    );
    expect(
      await client.call('order', {
        items: [
          { sku: 'a', count: 1 },
          { sku: 'b', count: 0 },
        ],
        email: 'x',
      }),
    ).toEqual(refused('- items[1].count: must not be less than 1', '- email: must be an email'));
  });

  it('are of an enumeration, or have a default that the list tells', async () => {
    enum Size {
      Small = 's',
      Large = 'l',
    }
    class CoffeeInput {
      @IsEnum(Size)
      size: Size = Size.Small;
      @IsIn(['oat', 'cow'])
      @IsOptional()
      milk?: 'oat' | 'cow';
    }
    @Injectable()
    class Tools {
      @McpTool()
      brew({ size, milk }: CoffeeInput): string {
        return `${size} with ${milk ?? 'no'} milk`;
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect((await client.listTools())[0]?.inputSchema).toEqual({
      type: 'object',
      properties: {
        size: { type: 'string', enum: ['s', 'l'], default: 's' },
        milk: { type: 'string', enum: ['oat', 'cow'] },
      },
      additionalProperties: false,
    });
    expect(await client.call('brew')).toEqual(said('s with no milk'));
    expect(await client.call('brew', { size: 'l', milk: 'oat' })).toEqual(said('l with oat milk'));
    expect(await client.call('brew', { size: 'xl' })).toEqual(
      refused('- size: must be one of the following values: s, l'),
    );
  });

  it('are of a discriminated union', async () => {
    class Card {
      @IsString()
      number!: string;
    }
    class Transfer {
      @IsString()
      iban!: string;
    }
    class PayInput {
      @ValidateNested()
      @Type(() => Object, {
        discriminator: {
          property: 'kind',
          subTypes: [
            { name: 'card', value: Card },
            { name: 'transfer', value: Transfer },
          ],
        },
      })
      by!: Card | Transfer;
    }
    @Injectable()
    class Tools {
      @McpTool()
      pay({ by }: PayInput): string {
        return by instanceof Card ? `card ${by.number}` : `transfer ${by.iban}`;
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.call('pay', { by: { kind: 'card', number: '4711' } })).toEqual(said('card 4711'));
    expect(await client.call('pay', { by: { kind: 'transfer', iban: 'DE07' } })).toEqual(said('transfer DE07'));
    expect(await client.call('pay', { by: { kind: 'cash' } })).toEqual(refused('- by: must have a known "kind"'));
  });

  it('are transformed once, dates and numbers among them', async () => {
    class EventInput {
      @IsDate()
      @Type(() => Date)
      day!: Date;
      @IsNumber()
      @Type(() => Number)
      seats!: number;
      @IsString()
      @Transform(({ value }) => `${String(value).trim()}.`)
      title!: string;
    }
    @Injectable()
    class Tools {
      @McpTool()
      plan({ day, seats, title }: EventInput): object {
        return { year: day.getUTCFullYear(), seats, title };
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.call('plan', { day: '2026-07-28T00:00:00Z', seats: '12', title: ' Party ' })).toEqual(
      said({ year: 2026, seats: 12, title: 'Party.' }),
    );
    expect(await client.call('plan', { day: 'soon', seats: 1, title: 'Party' })).toEqual(
      refused('- day: must be a Date instance'),
    );
  });

  it('are described to the model as their fields say', async () => {
    class RefundInput {
      @ApiField('Order number, as printed on the invoice', { examples: ['ORD-000123'] })
      @IsString()
      orderId!: string;
    }
    @Injectable()
    class Tools {
      @McpTool()
      refund({ orderId }: RefundInput): string {
        return orderId;
      }
    }
    await using app = await serve({ providers: [Tools] });

    expect((await app.client({ era }).listTools())[0]?.inputSchema).toEqual({
      type: 'object',
      properties: {
        orderId: {
          type: 'string',
          description: 'Order number, as printed on the invoice',
          examples: ['ORD-000123'],
        },
      },
      required: ['orderId'],
      additionalProperties: false,
    });
  });

  it('may not hold what the DTO does not know', async () => {
    class TagInput {
      @IsArray()
      @IsString({ each: true })
      tags!: string[];
    }
    let ran = 0;
    @Injectable()
    class Tools {
      @McpTool()
      tag({ tags }: TagInput): string {
        ran++;
        return tags.join();
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.call('tag', { tags: ['a', 1], admin: true })).toEqual(
      refused('- tags: each value must be a string', '- admin: is not a known property; known are tags'),
    );
    expect(await client.call('tag', {})).toEqual(refused('- tags: is required'));
    expect(ran).toBe(0);
  });
});

const refundSchema = {
  type: 'object',
  properties: { orderId: { type: 'string', pattern: '^ORD-' }, amount: { type: 'number' } },
  required: ['orderId', 'amount'],
} as const;

const valibotRefund = v.object({ orderId: v.pipe(v.string(), v.regex(/^ORD-/)), amount: v.number() });

@Injectable()
class OfZod {
  @McpTool({ input: z.object({ orderId: z.string().regex(/^ORD-/), amount: z.number() }) })
  refund({ orderId, amount }: { orderId: string; amount: number }): string {
    return `${orderId}: ${amount}`;
  }
}

@Injectable()
class OfArkType {
  @McpTool({ input: type({ orderId: /^ORD-/, amount: 'number' }) })
  refund({ orderId, amount }: { orderId: string; amount: number }): string {
    return `${orderId}: ${amount}`;
  }
}

@Injectable()
class OfValibot {
  @McpTool({ input: withJsonSchema(valibotRefund, refundSchema) })
  refund({ orderId, amount }: { orderId: string; amount: number }): string {
    return `${orderId}: ${amount}`;
  }
}

@Injectable()
class OfJsonSchema {
  @McpTool({ input: refundSchema })
  refund({ orderId, amount }: Record<string, unknown>): string {
    return `${String(orderId)}: ${Number(amount)}`;
  }
}

describe.each(ERAS)('arguments by a schema in the %s era', (era) => {
  it.each([
    ['Zod', OfZod],
    ['ArkType', OfArkType],
    ['Valibot', OfValibot],
    ['JSON Schema', OfJsonSchema],
  ])('of %s reach the method if they fit; if not, the field is named', async (_vendor, tools) => {
    await using app = await serve({ providers: [tools] });
    const client = app.client({ era });

    expect((await client.listTools())[0]?.inputSchema).toMatchObject({
      type: 'object',
      properties: { orderId: { type: 'string' }, amount: { type: 'number' } },
      required: expect.arrayContaining(['orderId', 'amount']),
    });
    expect(await client.call('refund', { orderId: 'ORD-1', amount: 5 })).toEqual(said('ORD-1: 5'));
    const { isError, content } = await client.call('refund', { orderId: 'X-1', amount: 'five' });
    expect(isError).toBe(true);
    expect(content).toEqual([
      {
        type: 'text',
        text: expect.stringMatching(/^Invalid arguments:\n- (orderId|amount): .+\n- (orderId|amount): .+$/),
      },
    ]);
  });

  it('are what the schema makes of them: defaults, transforms, checks that take their time', async () => {
    const input = z.object({
      name: z.string().transform((name) => name.toUpperCase()),
      times: z.number().default(2),
      word: z.string().refine(async (word) => word !== 'taken', 'is taken'),
    });
    @Injectable()
    class Tools {
      @McpTool({ input })
      repeat({ name, times, word }: z.output<typeof input>): string {
        return `${name} ${word} `.repeat(times).trim();
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.call('repeat', { name: 'ann', word: 'hi' })).toEqual(said('ANN hi ANN hi'));
    expect(await client.call('repeat', { name: 'ann', word: 'taken' })).toEqual(refused('- word: is taken'));
  });

  it('of JSON Schema arrive as they were sent, and the list shows every keyword as it was written', async () => {
    const input = {
      type: 'object',
      $defs: { code: { type: 'string', pattern: '^[a-z]+$', 'x-vendor': { kept: true } } },
      properties: { a: { $ref: '#/$defs/code' }, b: { const: 7 }, c: { type: 'string', default: 'c' } },
      dependentRequired: { a: ['b'] },
      unevaluatedProperties: false,
      $comment: 'kept',
    } as const;
    @Injectable()
    class Tools {
      @McpTool({ input })
      echo(given: Record<string, unknown>): object {
        return given;
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect((await client.listTools())[0]?.inputSchema).toEqual(input);
    expect(await client.call('echo', { a: 'x', b: 7 })).toEqual(said({ a: 'x', b: 7 }));
    expect(await client.call('echo', { b: 8, d: 1 })).toEqual(
      refused('- b: must be 7', '- d: is not a known property; known are a, b, c'),
    );
  });

  it('are none where the tool takes none: an empty object, never null', async () => {
    @Injectable()
    class Tools {
      @McpTool()
      ping(): string {
        return 'pong';
      }
    }
    await using app = await serve({ providers: [Tools] });
    const client = app.client({ era });

    expect(await client.listTools()).toEqual([
      { name: 'ping', inputSchema: { type: 'object', additionalProperties: false } },
    ]);
    expect(await client.request('tools/call', { name: 'ping' })).toMatchObject(said('pong'));
    expect(await client.call('ping', { loud: true })).toEqual(refused('- loud: is not a known property'));
  });
});

describe('invalid arguments', () => {
  @Injectable()
  class Tools {
    @McpTool({ input: z.object({ name: z.string('must be a text') }) })
    greet({ name }: { name: string }): string {
      return name;
    }
  }

  it.each(['2026-07-28', '2025-11-25'] as const)('are a result for the model in %s', async (revision) => {
    await using app = await serve({ providers: [Tools] });

    expect(await app.client({ revision }).call('greet', { name: 7 })).toEqual(refused('- name: must be a text'));
  });

  it.each(['2025-06-18', '2025-03-26'] as const)('are an error for the client in %s', async (revision) => {
    await using app = await serve({ providers: [Tools] });

    await expect(app.client({ revision }).call('greet', { name: 7 })).rejects.toMatchObject({
      code: -32602,
      message: 'Invalid arguments:\n- name: must be a text',
    });
  });
});
