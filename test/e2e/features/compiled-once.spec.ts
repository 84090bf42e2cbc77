import { Injectable } from '@nestjs/common';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { IsInt } from 'class-validator';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { McpRegistry, McpTool, type StandardSchema } from '../../../src/index.js';
import { CapabilityList } from '../../../src/mcp/registry/capability-list.js';
import type * as ListEntries from '../../../src/mcp/registry/list-entries.js';
import type * as CompileSchema from '../../../src/mcp/schema/compile-schema.js';
import type * as DtoToJsonSchema from '../../../src/mcp/schema/dto-to-json-schema.js';
import { WireSession, statelessRequest } from '../../support/wire.js';
import { ERAS, serve } from '../nest/serve.js';

/** How often each kind of work was done. */
const work = vi.hoisted(() => ({ schemasCompiled: 0, dtosConverted: 0, entriesMade: 0, vendorConversions: 0 }));

vi.mock('../../../src/mcp/schema/compile-schema.js', async (original) => {
  const { compileSchema } = await original<typeof CompileSchema>();
  const counting: typeof compileSchema = (...args) => (work.schemasCompiled++, compileSchema(...args));
  return { compileSchema: counting };
});
vi.mock('../../../src/mcp/schema/dto-to-json-schema.js', async (original) => {
  const { dtoToJsonSchema } = await original<typeof DtoToJsonSchema>();
  const counting: typeof dtoToJsonSchema = (...args) => (work.dtosConverted++, dtoToJsonSchema(...args));
  return { dtoToJsonSchema: counting };
});
vi.mock('../../../src/mcp/registry/list-entries.js', async (original) => {
  const module = await original<typeof ListEntries>();
  const toolEntry: typeof module.toolEntry = (...args) => (work.entriesMade++, module.toolEntry(...args));
  return { ...module, toolEntry };
});

class AddInput {
  @IsInt()
  a!: number;
}

/** A Standard Schema that counts how often it is asked for its JSON Schema. */
const counting = {
  '~standard': {
    version: 1,
    vendor: 'counting',
    validate: (value: unknown) => ({ value: value as { a: number } }),
    jsonSchema: {
      input: () => (work.vendorConversions++, { type: 'object', properties: { a: { type: 'integer' } } }),
      output: () => (work.vendorConversions++, { type: 'object' }),
    },
  },
} as StandardSchema<{ a: number }>;

const zodInput = z.object({ a: z.number() });
const jsonInput = { type: 'object', properties: { a: { type: 'integer' } } } as const;

/** A hundred tools, of all four kinds of schema. */
function hundredTools() {
  @Injectable()
  class Tools {}
  const decorate = { 0: { input: AddInput }, 1: { input: zodInput }, 2: { input: counting }, 3: { input: jsonInput } };
  for (let index = 0; index < 100; index++) {
    const name = `tool${index}`;
    const value = ({ a }: { a: number }): string => `${name}: ${a + 1}`;
    Object.defineProperty(Tools.prototype, name, { value, writable: true, configurable: true });
    const { input } = decorate[(index % 4) as 0 | 1 | 2 | 3];
    McpTool({ input: input as typeof jsonInput })(Tools.prototype, name, { value });
  }
  return Tools;
}

describe.each(ERAS)('with a hundred tools in the %s era', (era) => {
  afterEach(() => vi.restoreAllMocks());

  /** Sends a request with an id that is always the same, and resolves with the bytes of the answer. */
  async function wire(url: string) {
    const session = era === 'session' ? await WireSession.open(url) : undefined;
    return async (method: string, params: Record<string, unknown> = {}): Promise<string> => {
      const response = await (session ? session.request(method, params) : statelessRequest(url, method, params));
      return response.text();
    };
  }

  it('everything is converted, compiled and registered at boot, the thousandth request being as the first', async () => {
    await using app = await serve({ providers: [hundredTools()] });
    const send = await wire(app.url);
    const atBoot = { ...work };
    const compile = vi.spyOn(Ajv2020.prototype, 'compile');
    const register = vi.spyOn(CapabilityList.prototype, 'add');
    const entriesWritten = watchEntries();
    const requests = [
      () => send('tools/list'),
      ...[40, 41, 42, 43].map((tool) => () => send('tools/call', { name: `tool${tool}`, arguments: { a: 1 } })),
    ];
    const all = () => Promise.all(requests.map((request) => request()));

    const first = await all();
    let last: string[] = [];
    for (let round = 1; round < 200; round++) last = await all();

    expect(last).toEqual(first);
    expect(first[1]).toContain('tool40: 2');
    expect(JSON.parse(first[0] as string)).toMatchObject({ result: { tools: { length: 100 } } });
    expect(work).toEqual(atBoot);
    expect(compile).not.toHaveBeenCalled();
    expect(register).not.toHaveBeenCalled();
    expect(entriesWritten()).toBe(0);
  });

  it('the list is kept as it was written, until it changes', async () => {
    await using app = await serve({ providers: [hundredTools()] });
    const send = await wire(app.url);
    const registry = app.get(McpRegistry);
    const page = () => registry.tools.page(era, undefined);

    const before = await send('tools/list');
    const kept = page();
    await send('tools/list');
    expect(page()).toBe(kept);

    const { remove } = registry.addTool({ name: 'extra', handler: () => '' });
    expect(page()).not.toBe(kept);
    expect(await send('tools/list')).toContain('"extra"');
    remove();
    expect(await send('tools/list')).toBe(before);
  });
});

it('counts what it claims to count', async () => {
  const before = { ...work };
  await using app = await serve({ providers: [hundredTools()] });
  const compile = vi.spyOn(Ajv2020.prototype, 'compile');
  const entriesWritten = watchEntries();
  app.get(McpRegistry).addTool({ name: 'extra', input: jsonInput, handler: () => '' });

  expect(compile).toHaveBeenCalledOnce();
  expect(entriesWritten()).toBe(1);
  expect(work).toEqual({
    schemasCompiled: before.schemasCompiled + 101,
    // One for the list and one for the gate, for each of 25 tools.
    dtosConverted: before.dtosConverted + 50,
    entriesMade: before.entriesMade + 101,
    vendorConversions: before.vendorConversions + 25,
  });
});

/** Counts from now on how often a list entry, or a list of them, is serialised. */
function watchEntries(): () => number {
  const { stringify } = JSON;
  let count = 0;
  vi.spyOn(JSON, 'stringify').mockImplementation((...args: Parameters<typeof stringify>) => {
    const [value] = args as [unknown];
    if (typeof value === 'object' && value !== null && ('inputSchema' in value || 'tools' in value)) count++;
    return stringify(...args);
  });
  return () => count;
}
