import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { type JsonSchema, McpRegistry, McpTool } from '../../../src/index.js';
import { createMcpTestApp } from '../../../src/testing.js';
import { type Json, statelessRequest } from '../../support/wire.js';
import { answerOf, callTool } from './requests.js';

const PAIR = [{ type: 'string' }, { type: 'integer' }];
/** The same rule, as each dialect spells it; the other spelling means nothing in it. */
const MODERN = { type: 'object', properties: { pair: { type: 'array', prefixItems: PAIR } } } as const;
const DRAFT_07 = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  type: 'object',
  properties: { pair: { type: 'array', items: PAIR, prefixItems: [{ type: 'null' }] } },
} as const;

@Injectable()
class Fixtures {
  @McpTool({ input: MODERN })
  modern(input: Record<string, unknown>) {
    return input;
  }

  @McpTool({ input: DRAFT_07 })
  draft07(input: Record<string, unknown>) {
    return input;
  }
}

@Module({ providers: [Fixtures] })
class FixtureModule {}

/** Schemas that cannot be served, and what is said of them. */
const UNUSABLE: Record<string, [schema: JsonSchema, why: string]> = {
  'of an unknown dialect': [
    { $schema: 'https://json-schema.org/draft/2019-09/schema', type: 'object' },
    'the JSON Schema dialect "https://json-schema.org/draft/2019-09/schema" is not supported',
  ],
  'that is invalid in 2020-12': [
    { type: 'object', properties: { pair: { type: 'array', items: PAIR } } },
    'the JSON Schema cannot be compiled',
  ],
  'with a type that does not exist': [
    { type: 'object', properties: { age: { type: 'whole' } } },
    'the JSON Schema cannot be compiled',
  ],
  'with a $ref to nowhere': [
    { type: 'object', properties: { a: { $ref: '#/$defs/missing' } } },
    'cannot be resolved within the schema',
  ],
  'with too many subschemas': [
    { type: 'object', anyOf: Array.from({ length: 5_000 }, () => ({})) },
    'more than 5000 subschemas',
  ],
  'that nests too deeply': [{ type: 'object', properties: { a: nested(70) } }, 'deeper than 64 levels'],
};

function nested(depth: number): JsonSchema {
  return depth === 0 ? {} : { not: nested(depth - 1) };
}

describe('JSON Schemas of tools', () => {
  it.each(['modern', 'draft07'])('are applied in the dialect they declare, or 2020-12: %s', async (name) => {
    await using app = await createMcpTestApp(FixtureModule);
    const isError = async (pair: unknown): Promise<unknown> => {
      const { body } = await answerOf(await callTool(app.url, name, { pair }));
      return (body['result'] as Json)['isError'];
    };

    expect(await isError(['a', 1])).toBeUndefined();
    expect(await isError([1, 'a'])).toBe(true);
  });

  it.each([
    ['modern', MODERN],
    ['draft07', DRAFT_07],
  ])('are published as they are written: %s', async (name, schema) => {
    await using app = await createMcpTestApp(FixtureModule);

    const { body } = await answerOf(await statelessRequest(app.url, 'tools/list'));

    const { tools } = body['result'] as { tools: { name: string; inputSchema: unknown }[] };
    expect(tools.find((tool) => tool.name === name)?.inputSchema).toEqual(schema);
  });

  it.each(Object.keys(UNUSABLE))('%s stop the boot, naming the tool and the reason', async (what) => {
    const [input, why] = UNUSABLE[what]!;
    @Injectable()
    class Unusable {
      @McpTool({ input })
      run(_input: Record<string, unknown>) {
        return 'Done.';
      }
    }

    const booting = createMcpTestApp({ module: class {}, providers: [Unusable] }, { logger: false });

    await expect(booting).rejects.toThrow(`Unusable.run input: `);
    await expect(booting).rejects.toThrow(why);
  });

  it.each(Object.keys(UNUSABLE))('%s are refused at runtime, and never published', async (what) => {
    await using app = await createMcpTestApp(FixtureModule);
    const [input, why] = UNUSABLE[what]!;

    expect(() => app.get(McpRegistry).addTool({ name: 'unusable', input, handler: () => 'x' })).toThrow(why);

    const { body } = await answerOf(await statelessRequest(app.url, 'tools/list'));
    const { tools } = body['result'] as { tools: { name: string }[] };
    expect(tools.map(({ name }) => name)).toEqual(['draft07', 'modern']);
  });

  it('are refused with a $ref to a network address, which is not fetched', async () => {
    let fetched = 0;
    const server = createServer((_request, response) => response.end(`{"fetched":${(fetched += 1)}}`));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await using app = await createMcpTestApp(FixtureModule);
    const $ref = `http://127.0.0.1:${(server.address() as AddressInfo).port}/schema.json`;
    const input = { type: 'object', properties: { a: { $ref } } };

    const add = () => app.get(McpRegistry).addTool({ name: 'remote', input, handler: () => 'x' });

    expect(add).toThrow(`$ref "${$ref}" cannot be resolved within the schema. Schemas are never fetched`);
    await new Promise((resolve) => server.close(resolve));
    expect(fetched).toBe(0);
  });
});
