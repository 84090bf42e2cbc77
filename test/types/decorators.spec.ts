import { beforeAll, describe, expect, it } from 'vitest';
import { compileSnippets } from './compile-snippets.js';

const PREAMBLE = `
import { type } from 'arktype';
import { IsInt, IsString } from 'class-validator';
import { type Observable } from 'rxjs';
import * as v from 'valibot';
import { z } from 'zod';
import type { CallToolResult } from '@modelcontextprotocol/server';
// Not the barrel: the compiler would read all of Fastify for it.
import { type CompletionInput, McpCompletion } from '../../src/mcp/decorators/mcp-completion.decorator.js';
import { McpPrompt } from '../../src/mcp/decorators/mcp-prompt.decorator.js';
import { McpResource } from '../../src/mcp/decorators/mcp-resource.decorator.js';
import { McpTool } from '../../src/mcp/decorators/mcp-tool.decorator.js';
import { McpCall } from '../../src/mcp/protocol/mcp-call.js';
import { McpRegistry } from '../../src/mcp/registry/mcp-registry.js';
import { withJsonSchema } from '../../src/mcp/schema/with-json-schema.js';
class Name { @IsString() name!: string }
class Count { @IsInt() count!: number }
class FullName extends Name { @IsString() last!: string }
const name = z.object({ name: z.string() });
const ark = type({ name: 'string' });
const vali = withJsonSchema(v.object({ name: v.string() }), { type: 'object' });
const json = { type: 'object', properties: { name: { type: 'string' } } } as const;
const count = z.object({ count: z.number() });
const trimmed = z.object({ length: z.string().transform((text) => text.length) });
const optional = z.object({ name: z.string().optional() });
const defaulted = z.object({ name: z.string().default('x') });
declare const registry: McpRegistry;
declare const any: unknown;
export {};
`;

/** A class with one method. */
const method = (decorator: string, signature: string): string =>
  `${PREAMBLE}export abstract class C { ${decorator}\n run${signature} { return any as never; } }`;
const tool = (options: string, signature: string): string => method(`@McpTool(${options})`, signature);
const call = (statement: string): string => `${PREAMBLE}export const run = async (call: McpCall) => { ${statement} };`;

const COMPILES: Record<string, string> = {
  'no input, no parameters': tool('', '(): string'),
  'a DTO from the parameter alone': tool('', '(input: Name, call: McpCall): string'),
  'a DTO in both places': tool('{ input: Name }', '(input: Name): string'),
  'a DTO where the parameter asks for its parent': tool('{ input: FullName }', '(input: Name): string'),
  Zod: tool('{ input: name }', '({ name }: { name: string }, call: McpCall): string'),
  'Zod where the parameter asks for less': tool(
    '{ input: z.object({ name: z.string(), b: z.number() }) }',
    '(input: { name: string }): string',
  ),
  'Zod with no parameters': tool('{ input: name }', '(): string'),
  'Zod with the call alone': tool('{ input: name }', '(call: McpCall): string'),
  'Zod with the call first': tool('{ input: name }', '(call: McpCall, input: { name: string }): string'),
  'the output of a transform': tool('{ input: trimmed }', '({ length }: { length: number }): string'),
  'the output of a default': tool('{ input: defaulted }', '({ name }: { name: string }): string'),
  ArkType: tool('{ input: ark }', '({ name }: { name: string }): string'),
  Valibot: tool('{ input: vali }', '({ name }: { name: string }): string'),
  'JSON Schema, which says nothing to the compiler': tool('{ input: json }', '({ name }: { name: string }): string'),
  'a value of the output schema': tool('{ output: count }', '(): { count: number }'),
  'a promise of it': tool('{ output: count }', '(): Promise<{ count: number }>'),
  'an observable of it': tool('{ output: count }', '(): Observable<{ count: number }>'),
  'a full result with an output schema': tool('{ output: count }', '(): CallToolResult'),
  'the input side of a default in the output': tool('{ output: defaulted }', '(): { name?: string }'),
  'an instance of an output DTO': tool('{ output: Count }', '(): Promise<Count>'),
  'a literal of an output DTO': tool('{ output: Count }', '(): { count: number }'),
  'anything without an output schema': tool('', '(): Map<string, number>'),
  'a prompt by Zod': method('@McpPrompt({ input: name })', '({ name }: { name: string }): string'),
  'a resource by Zod': method(`@McpResource('a://{name}', { input: name })`, '({ name }: { name: string }): string'),
  'a template without schema': method(`@McpResource('a://{name}')`, '({ name }: { name: string }): string'),
  'a completion': method(
    `@McpCompletion({ prompt: 'p', argument: 'a' })`,
    '({ value }: CompletionInput, call: McpCall): string[]',
  ),
  'a completion later, with a total': method(
    `@McpCompletion({ prompt: 'p', argument: 'a' })`,
    '(): Promise<{ values: string[]; total: number }>',
  ),
  'a tool at runtime': call(`registry.addTool({ name: 'n', input: name, handler: ({ name }) => name.length });`),
  'an answer of the user by Zod': call(`const { count: n } = await call.elicit(count, 'How many?'); n.toFixed();`),
  'an answer of the user by DTO': call(`const { name } = await call.elicit(Name, 'Who?'); name.trim();`),
};

const INPUT = 'its first parameter is not what the input schema yields';
const OUTPUT = 'its return type is not what the output schema describes';

const REFUSED: Record<string, [snippet: string, reason: string]> = {
  'another type of a field': [tool('{ input: name }', '(input: { name: number }): string'), INPUT],
  'a field that the schema has not': [tool('{ input: name }', '(input: { name: string; b: number }): string'), INPUT],
  'a field that may be absent, taken for present': [
    tool('{ input: optional }', '(input: { name: string }): string'),
    INPUT,
  ],
  'the input side of a transform': [tool('{ input: trimmed }', '(input: { length: string }): string'), INPUT],
  'a string for an object': [tool('{ input: name }', '(name: string): string'), INPUT],
  'another type behind the call': [tool('{ input: name }', '(call: McpCall, input: { name: number }): string'), INPUT],
  'another type by ArkType': [tool('{ input: ark }', '(input: { name: number }): string'), INPUT],
  'another type by Valibot': [tool('{ input: vali }', '(input: { name: number }): string'), INPUT],
  'another DTO': [tool('{ input: Name }', '(input: Count): string'), INPUT],
  'a subclass of the DTO': [tool('{ input: Name }', '(input: FullName): string'), INPUT],
  'another type in a prompt': [method('@McpPrompt({ input: name })', '(input: { name: number }): string'), INPUT],
  'another type in a resource': [
    method(`@McpResource('a://{name}', { input: name })`, '(input: { name: number }): string'),
    INPUT,
  ],
  'another returned type': [tool('{ output: count }', '(): { count: string }'), OUTPUT],
  'a promise of another type': [tool('{ output: count }', '(): Promise<{ count: string }>'), OUTPUT],
  'an observable of another type': [tool('{ output: count }', '(): Observable<{ count: string }>'), OUTPUT],
  'nothing, where something is described': [tool('{ output: count }', '(): void'), OUTPUT],
  'a value that may be missing': [tool('{ output: count }', '(): { count: number } | undefined'), OUTPUT],
  'a literal that is not the output DTO': [tool('{ output: Count }', '(): { name: string }'), OUTPUT],
  'a completion of numbers': [
    method(`@McpCompletion({ prompt: 'p', argument: 'a' })`, '(): number[]'),
    'not assignable',
  ],
  'a completion that asks for another input': [
    method(`@McpCompletion({ prompt: 'p', argument: 'a' })`, '(input: { value: number }): string[]'),
    'not assignable',
  ],
  'an option that does not exist': [tool(`{ titel: 'T' }`, '(): string'), `'titel' does not exist`],
  'an input that is no schema': [tool('{ input: 7 }', '(): string'), 'not assignable'],
  'a tool at runtime that misreads its input': [
    call(`registry.addTool({ name: 'n', input: name, handler: ({ name }: { name: number }) => name });`),
    'not assignable',
  ],
  'a tool at runtime that reads an unknown field': [
    call(`registry.addTool({ name: 'n', input: name, handler: ({ nam }) => nam });`),
    `'nam' does not exist`,
  ],
  'an answer of the user taken for another': [
    call(`const { count: n } = await call.elicit(count, 'How many?'); n.trim();`),
    `'trim' does not exist`,
  ],
};

describe('the compiler', () => {
  let said: ReadonlyMap<string, readonly string[]>;
  beforeAll(() => {
    said = compileSnippets({
      ...COMPILES,
      ...Object.fromEntries(Object.entries(REFUSED).map(([name, [snippet]]) => [name, snippet])),
    });
  });

  it.each(Object.keys(COMPILES))('accepts %s', (name) => {
    expect(said.get(name)).toEqual([]);
  });

  it.each(Object.keys(REFUSED))('refuses %s', (name) => {
    const reason = REFUSED[name]?.[1];

    expect(said.get(name)).toEqual([expect.stringContaining(reason as string)]);
  });
});
