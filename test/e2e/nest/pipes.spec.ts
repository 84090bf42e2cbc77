import {
  type ArgumentMetadata,
  BadRequestException,
  Body,
  Injectable,
  ParseIntPipe,
  type PipeTransform,
  Query,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { Expose, Transform, Type } from 'class-transformer';
import { IsDate, IsInt, IsString, Min, ValidateNested } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpCall, McpTool } from '../../../src/index.js';
import { ERAS, serve } from './serve.js';

const nameInput = z.object({ name: z.string() });
type NameInput = z.infer<typeof nameInput>;

/** Lets through what has a name only, and writes that in capitals. */
class Shout implements PipeTransform {
  transform(value: NameInput): NameInput {
    return { name: value.name.toUpperCase() };
  }
}

@Injectable()
class PlainTools {
  @McpTool({ input: nameInput })
  greet({ name }: NameInput): string {
    return `Hello ${name}`;
  }
}

@Injectable()
class MethodPiped {
  @McpTool({ input: nameInput })
  @UsePipes(Shout)
  greet({ name }: NameInput): string {
    return `Hello ${name}`;
  }
}

@Injectable()
@UsePipes(Shout)
class ClassPiped {
  @McpTool({ input: nameInput })
  greet({ name }: NameInput): string {
    return `Hello ${name}`;
  }
}

class Line {
  @IsString()
  @Transform(({ value }) => `${value}!`)
  text!: string;
}

class OrderInput {
  @IsInt()
  @Min(1)
  amount!: number;

  @IsString()
  @Expose({ name: 'order_id' })
  orderId!: string;

  @IsString()
  @Transform(({ value }) => `${value}+1`)
  counted!: string;

  @IsDate()
  @Type(() => Date)
  day!: Date;

  @ValidateNested()
  @Type(() => Line)
  line!: Line;
}

describe.each(ERAS)('pipes in the %s era', (era) => {
  it.each([
    ['of the method', { providers: [MethodPiped] }, undefined],
    ['of the class', { providers: [ClassPiped] }, undefined],
    ['given as APP_PIPE', { providers: [PlainTools, { provide: APP_PIPE, useClass: Shout }] }, undefined],
    ['given to useGlobalPipes', { providers: [PlainTools] }, new Shout()],
  ])('change the input by a pipe %s', async (_where, metadata, global) => {
    await using app = await serve(metadata, { configure: (nest) => void (global && nest.useGlobalPipes(global)) });

    const result = await app.client({ era }).call('greet', { name: 'ann' });

    expect(result).toEqual({ content: [{ type: 'text', text: 'Hello ANN' }] });
  });

  it('leave the call alone', async () => {
    const given: unknown[] = [];
    class ZodPipe implements PipeTransform {
      transform(value: unknown): unknown {
        given.push(value);
        return nameInput.parse(value);
      }
    }
    @Injectable()
    class Tools {
      @McpTool({ input: nameInput })
      @UsePipes(ZodPipe)
      greet({ name }: NameInput, call: McpCall): string {
        return `Hello ${name}, by ${call.target}`;
      }
    }
    await using app = await serve({ providers: [Tools] });

    const result = await app.client({ era }).call('greet', { name: 'ann' });

    expect(result).toEqual({ content: [{ type: 'text', text: 'Hello ann, by greet' }] });
    expect(given).toEqual([{ name: 'ann' }]);
  });

  it('tell the caller what they refuse, in the words of their exception', async () => {
    class NoRobots implements PipeTransform {
      transform(): never {
        throw new BadRequestException(['name must not be a robot', 'name must be known']);
      }
    }
    await using app = await serve(
      { providers: [PlainTools] },
      { configure: (nest) => void nest.useGlobalPipes(new NoRobots()) },
    );

    expect(await app.client({ era }).call('greet', { name: 'r2d2' })).toEqual({
      isError: true,
      content: [{ type: 'text', text: 'Invalid arguments:\n- name must not be a robot\n- name must be known' }],
    });
  });

  it('are masked when they break', async () => {
    class Broken implements PipeTransform {
      transform(): never {
        throw new Error('no connection to db-7');
      }
    }
    await using app = await serve(
      { providers: [PlainTools] },
      { configure: (nest) => void nest.useGlobalPipes(new Broken()) },
    );

    await expect(app.client({ era }).call('greet', { name: 'ann' })).rejects.toMatchObject({
      code: -32603,
      message: expect.stringMatching(/^Internal error\. Reference: [0-9a-f-]{36}$/),
    });
  });

  it.each([
    ['transform', { transform: true }],
    ['transform and whitelist', { transform: true, whitelist: true, forbidNonWhitelisted: true }],
    ['no transform', {}],
  ])('do not do a DTO twice when a global ValidationPipe has %s', async (_name, options) => {
    @Injectable()
    class Tools {
      @McpTool()
      order(input: OrderInput): object {
        return { ...input, isOrder: input instanceof OrderInput, isDate: input.day instanceof Date };
      }
    }
    await using app = await serve(
      { providers: [Tools] },
      { configure: (nest) => void nest.useGlobalPipes(new ValidationPipe(options)) },
    );

    const result = await app.client({ era }).call('order', {
      amount: 2,
      order_id: 'ORD-1',
      counted: '0',
      day: '2026-01-02T03:04:05.000Z',
      line: { text: 'hi' },
    });

    expect(JSON.parse((result.content[0] as { text: string }).text)).toEqual({
      amount: 2,
      orderId: 'ORD-1',
      counted: '0+1',
      day: '2026-01-02T03:04:05.000Z',
      line: { text: 'hi!' },
      isOrder: true,
      isDate: true,
    });
  });

  it('of a parameter run after those of the method, with what Nest tells them of it', async () => {
    const told: ArgumentMetadata[] = [];
    class Note implements PipeTransform {
      transform(value: unknown, metadata: ArgumentMetadata): unknown {
        told.push(metadata);
        return value;
      }
    }
    @Injectable()
    class Tools {
      @McpTool({ input: { type: 'object', properties: { page: { type: 'string' } } } })
      @UsePipes(Note)
      list(@Body() body: Record<string, unknown>, @Query('page', ParseIntPipe) page: number): object {
        return { body, page };
      }
    }
    await using app = await serve({ providers: [Tools] });

    const result = await app.client({ era }).call('list', { page: '7' });

    expect(result.content).toEqual([{ type: 'text', text: '{"body":{"page":"7"},"page":7}' }]);
    expect(told).toEqual([
      { metatype: Number, type: 'query', data: 'page' },
      { metatype: Object, type: 'body', data: undefined },
    ]);
  });
});
