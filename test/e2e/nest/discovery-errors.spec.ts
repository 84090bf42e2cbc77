import { Injectable, Module } from '@nestjs/common';
import { IsInt, IsString } from 'class-validator';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { McpCompletion, McpPrompt, McpRegistry, McpResource, McpTool } from '../../../src/index.js';
import { bootError, serve } from './serve.js';

class NameInput {
  @IsString()
  name!: string;
}
class CountInput {
  @IsInt()
  count!: number;
}

/** A schema whose property mirrors itself into a header. */
const mirrored = (property: object) => ({ type: 'object', properties: { region: property } });

describe('the application does not start', () => {
  it('with two tools of one name', async () => {
    @Injectable()
    class Refunds {
      @McpTool({ name: 'pay' })
      refund(): void {}
    }
    @Injectable()
    class Payments {
      @McpTool()
      pay(): void {}
    }

    expect(await bootError({ providers: [Refunds, Payments] })).toBe(
      'Two tools are called "pay": Refunds.refund and Payments.pay. Rename one of them.',
    );
  });

  it('with one class in two modules', async () => {
    @Injectable()
    class Payments {
      @McpTool()
      pay(): void {}
    }
    @Module({ providers: [Payments] })
    class FirstModule {}
    @Module({ providers: [Payments] })
    class SecondModule {}

    expect(await bootError({ imports: [FirstModule, SecondModule] })).toBe(
      'Two tools are called "pay": Payments.pay and Payments.pay. ' +
        'Provide the class in one module and import that module elsewhere.',
    );
  });

  it('with two resources, templates or prompts of one name', async () => {
    @Injectable()
    class Resources {
      @McpResource('orders://all')
      first(): void {}
      @McpResource('orders://all')
      second(): void {}
    }
    @Injectable()
    class Templates {
      @McpResource('orders://{id}')
      first(): void {}
      @McpResource('orders://{id}')
      second(): void {}
    }
    @Injectable()
    class Prompts {
      @McpPrompt({ name: 'review' })
      first(): string {
        return '';
      }
      @McpPrompt({ name: 'review' })
      second(): string {
        return '';
      }
    }

    expect(await bootError({ providers: [Resources] })).toBe(
      'Two resources are called "orders://all": Resources.first and Resources.second. Rename one of them.',
    );
    expect(await bootError({ providers: [Templates] })).toBe(
      'Two resource templates are called "orders://{id}": Templates.first and Templates.second. Rename one of them.',
    );
    expect(await bootError({ providers: [Prompts] })).toBe(
      'Two prompts are called "review": Prompts.first and Prompts.second. Rename one of them.',
    );
  });

  it.each(['', 'two words', 'größe', 'a/b', 'x'.repeat(129)])('with a tool called "%s"', async (name) => {
    @Injectable()
    class Tools {
      @McpTool({ name })
      pay(): void {}
    }

    expect(await bootError({ providers: [Tools] })).toBe(
      `Tools.pay: "${name}" is not a valid name. Use 1 to 128 characters of A-Z, a-z, 0-9, "_", "-" and "."; ` +
        'set `name` in the decorator if the method is called otherwise.',
    );
  });

  it.each(['A', 'a.b-c_D9', 'x'.repeat(128)])('without complaint with a tool called "%s"', async (name) => {
    @Injectable()
    class Tools {
      @McpTool({ name })
      pay(): void {}
    }
    await using app = await serve({ providers: [Tools] });

    expect((await app.client().listTools()).map((tool) => tool.name)).toEqual([name]);
  });

  it.each([
    ['orders', 'is not an absolute URI. Begin with a scheme, such as "orders://".'],
    ['orders://all of them', 'is not an absolute URI. Begin with a scheme, such as "orders://".'],
    ['orders://<all>', 'holds a character that no URI has. Percent-encode it.'],
    ['orders://größe', 'holds a character that no URI has. Percent-encode it.'],
    ['orders://50%', 'holds a character that no URI has. Percent-encode it.'],
  ])('with a resource at %s', async (uri, complaint) => {
    @Injectable()
    class Orders {
      @McpResource(uri)
      all(): void {}
    }

    expect(await bootError({ providers: [Orders] })).toBe(`Orders.all: "${uri}" ${complaint}`);
  });

  it.each([
    ['orders://{a}{b}', '{a} is followed by {b}, which it would swallow. Put a "/" between them.'],
    ['orders://{+path}/{id}', '{+path} is followed by "/" and {id}, which it would swallow. Put it last, or use'],
    ['orders://{id}/{id}', '{id} occurs twice. Give each variable its own name.'],
    ['orders://{id', '"{id" is never closed. Add a "}".'],
    ['orders://{id:3}', '{id:3} has a prefix modifier, which cannot be matched back. Leave ":3" out.'],
  ])('with a template %s', async (uri, complaint) => {
    @Injectable()
    class Orders {
      @McpResource(uri)
      order(): void {}
    }

    expect(await bootError({ providers: [Orders] })).toContain(`Orders.order: URI template "${uri}": ${complaint}`);
  });

  it('with a template that lacks what its schema requires', async () => {
    @Injectable()
    class Orders {
      @McpResource('orders://{id}')
      order(_input: NameInput): void {}
    }

    expect(await bootError({ providers: [Orders] })).toBe(
      'Orders.order: the schema requires "name", which the template orders://{id} does not hold. ' +
        'Add {name} to the template or make the property optional.',
    );
  });

  it('with a schema that cannot be used', async () => {
    class Undecorated {
      name!: string;
    }
    @Injectable()
    class OfDto {
      @McpTool()
      pay(_input: Undecorated): void {}
    }
    @Injectable()
    class OfZod {
      @McpTool({ input: z.object({ amount: z.bigint() }) })
      pay(_input: { amount: bigint }): void {}
    }
    @Injectable()
    class OfValibot {
      @McpTool({ input: v.object({ name: v.string() }) })
      pay(_input: { name: string }): void {}
    }
    @Injectable()
    class OfJsonSchema {
      @McpTool({ input: { type: 'object', properties: { name: { type: 'text' } } } })
      pay(_input: Record<string, unknown>): void {}
    }
    @Injectable()
    class OfArray {
      @McpTool({ input: z.array(z.string()) })
      pay(_input: string[]): void {}
    }

    expect(await bootError({ providers: [OfDto] })).toBe(
      'OfDto.pay input: Undecorated has no decorators, so its shape is unknown. ' +
        'Decorate its properties with class-validator or @ApiField().',
    );
    expect(await bootError({ providers: [OfZod] })).toBe(
      'OfZod.pay input: the schema has no JSON Schema: BigInt cannot be represented in JSON Schema. ' +
        'Use a type that JSON can carry, or withJsonSchema(schema, jsonSchema).',
    );
    expect(await bootError({ providers: [OfValibot] })).toContain(
      'OfValibot.pay input: valibot schemas cannot write their own JSON Schema. Wrap the schema: withJsonSchema(',
    );
    expect(await bootError({ providers: [OfJsonSchema] })).toMatch(
      /^OfJsonSchema\.pay input: the JSON Schema cannot be compiled: .* Correct the schema\.$/,
    );
    expect(await bootError({ providers: [OfArray] })).toBe(
      'OfArray.pay input: an input schema must have "type": "object" at its root. ' +
        'Use an object schema; wrap a union in one of its properties.',
    );
  });

  it('with an output schema that cannot be used', async () => {
    @Injectable()
    class Tools {
      @McpTool({ output: { $ref: 'https://example.com/receipt.json' } })
      pay(): Record<string, unknown> {
        return {};
      }
    }

    expect(await bootError({ providers: [Tools] })).toBe(
      'Tools.pay output: $ref "https://example.com/receipt.json" cannot be resolved within the schema. ' +
        'Schemas are never fetched: copy the target to $defs and point $ref there.',
    );
  });

  it('with an input whose type leaves no trace', async () => {
    interface Shape {
      name: string;
    }
    @Injectable()
    class Tools {
      @McpTool()
      pay(_input: Shape): void {}
    }
    @Injectable()
    class Prompts {
      @McpPrompt()
      ask(_input: { name: string }): string {
        return '';
      }
    }
    const complaint =
      ' takes an input whose type leaves no trace at runtime. Declare the parameter with a DTO class ' +
      '(imported as a value, not with `import type`, and with emitDecoratorMetadata on), or give `input` a schema.';

    expect(await bootError({ providers: [Tools] })).toBe(`Tools.pay${complaint}`);
    expect(await bootError({ providers: [Prompts] })).toBe(`Prompts.ask${complaint}`);
  });

  it('with one DTO in the decorator and another in the parameter', async () => {
    class Both extends NameInput {
      @IsInt()
      count!: number;
    }
    @Injectable()
    class Tools {
      @McpTool({ input: Both })
      pay(_input: CountInput): void {}
    }

    expect(await bootError({ providers: [Tools] })).toBe(
      'Tools.pay: its input is declared as CountInput, but the decorator says Both. ' +
        'Give both the same class, or leave `input` out.',
    );
  });

  it('with an argument of a prompt that is no string', async () => {
    @Injectable()
    class Prompts {
      @McpPrompt()
      ask(_input: CountInput): string {
        return '';
      }
    }

    expect(await bootError({ providers: [Prompts] })).toBe(
      'Prompts.ask: argument "count" is of type integer, but a prompt\'s arguments are strings. ' +
        'Declare it as a string and convert it in the method.',
    );
  });

  it('with a completion of what is not there, or a second one', async () => {
    @Injectable()
    class Prompts {
      @McpPrompt({ input: z.object({ language: z.string() }) })
      review(): string {
        return '';
      }
      @McpResource('orders://{id}')
      order(): void {}
    }
    @Injectable()
    class NoPrompt {
      @McpCompletion({ prompt: 'reviews', argument: 'language' })
      complete(): string[] {
        return [];
      }
    }
    @Injectable()
    class NoArgument {
      @McpCompletion({ prompt: 'review', argument: 'lang' })
      complete(): string[] {
        return [];
      }
    }
    @Injectable()
    class NoVariable {
      @McpCompletion({ resource: 'orders://{id}', argument: 'number' })
      complete(): string[] {
        return [];
      }
    }
    @Injectable()
    class Twice {
      @McpCompletion({ prompt: 'review', argument: 'language' })
      first(): string[] {
        return [];
      }
      @McpCompletion({ prompt: 'review', argument: 'language' })
      second(): string[] {
        return [];
      }
    }
    const saidOf = (completions: new () => object) => bootError({ providers: [Prompts, completions] });

    expect(await saidOf(NoPrompt)).toBe(
      'NoPrompt.complete completes an argument of the prompt "reviews", which does not exist. Check its name.',
    );
    expect(await saidOf(NoArgument)).toBe(
      'NoArgument.complete completes "lang", which the prompt "review" does not have. It has: language.',
    );
    expect(await saidOf(NoVariable)).toBe(
      'NoVariable.complete completes "number", which the resource template "orders://{id}" does not have. It has: id.',
    );
    expect(await saidOf(Twice)).toBe(
      'Twice.first and Twice.second complete the same argument ["prompt","review","language"]. Keep one of them.',
    );
  });

  it.each([0, -1, 1.5, Number.NaN, 2 ** 31])('with a timeout of %s', async (timeoutMs) => {
    @Injectable()
    class Tools {
      @McpTool({ timeoutMs })
      pay(): void {}
    }

    expect(await bootError({ providers: [Tools] })).toBe(
      `Tools.pay: timeoutMs is ${timeoutMs}. Give whole milliseconds, from 1 to 2147483647.`,
    );
  });

  it.each([-1, 1.5, Number.POSITIVE_INFINITY])('with a cache hint of %s ms', async (ttlMs) => {
    @Injectable()
    class Orders {
      @McpResource('orders://all', { cache: { ttlMs } })
      all(): void {}
    }

    expect(await bootError({ providers: [Orders] })).toBe(
      `Orders.all: cache.ttlMs is ${ttlMs}. Give whole milliseconds, 0 or more.`,
    );
  });

  it.each([
    ['no header name', mirrored({ type: 'string', 'x-mcp-header': 'My Region' }), 'is no header name'],
    ['an empty header name', mirrored({ type: 'string', 'x-mcp-header': '' }), 'is no header name'],
    ['a number', mirrored({ type: 'number', 'x-mcp-header': 'Region' }), 'is on the type "number"'],
    ['an object', mirrored({ type: 'object', 'x-mcp-header': 'Region' }), 'is on the type "object"'],
    [
      'what no chain of properties reaches',
      mirrored({ type: 'array', items: { type: 'string', 'x-mcp-header': 'Region' } }),
      'cannot be reached through properties alone',
    ],
    [
      'two names that differ in case alone',
      {
        type: 'object',
        properties: {
          a: { type: 'string', 'x-mcp-header': 'Region' },
          b: { type: 'string', 'x-mcp-header': 'REGION' },
        },
      },
      'a and b are both mirrored into the header mcp-param-region. Give each its own x-mcp-header.',
    ],
  ])('with x-mcp-header on %s', async (_what, input, complaint) => {
    @Injectable()
    class Tools {
      @McpTool({ input })
      pay(_input: Record<string, unknown>): void {}
    }

    const message = await bootError({ providers: [Tools] });

    expect(message).toMatch(/^Tools\.pay: /);
    expect(message).toContain(complaint);
  });

  it('with a decorator on something that is no method', () => {
    const decorate = (): void => {
      class Tools {
        get total(): number {
          return 1;
        }
      }
      const descriptor = Object.getOwnPropertyDescriptor(Tools.prototype, 'total') as TypedPropertyDescriptor<() => 1>;
      McpTool()(Tools.prototype, 'total', descriptor);
    };

    expect(decorate).toThrow(
      'Tools.total carries an MCP decorator but is not a method. Move the decorator to an instance method.',
    );
  });
});

describe('a capability added at runtime', () => {
  it('is refused as it would be at boot, and nothing of it stays', async () => {
    await using app = await serve({});
    const registry = app.get(McpRegistry);
    registry.addTool({ name: 'ping', handler: () => 'pong' });

    expect(() => registry.addTool({ name: 'ping', handler: () => 'pang' })).toThrow(
      'Two tools are called "ping": "ping" (added at runtime) and "ping" (added at runtime).',
    );
    expect(() => registry.addTool({ name: 'two words', handler: () => '' })).toThrow('is not a valid name');
    expect(() => registry.addResource({ uri: 'x', name: 'x', handler: () => '' })).toThrow('is not an absolute URI');
    expect(() => registry.addCompletion({ prompt: 'no', argument: 'a' }, () => [])).toThrow('which does not exist');
    expect(await app.client().call('ping')).toEqual({ content: [{ type: 'text', text: 'pong' }] });
  });
});
