import { describe, expect, it } from 'vitest';
import type { ToolCapability } from '../../registry/capability.js';
import { compileSchema } from '../../schema/compile-schema.js';
import type { Era } from '../../protocol/revisions.js';
import type { Outcome } from '../outcome.js';
import { ResultEncoder } from './result-encoder.js';
import { encodeToolError, encodeToolResult } from './tool-result.js';

const encoder = new ResultEncoder({ name: 'shop', version: '1' }, 100_000);

const bodyOf = (outcome: Outcome): unknown => {
  const {
    resultType: _type,
    _meta,
    ...body
  } = JSON.parse((outcome as { json: string }).json) as Record<string, unknown>;
  return body;
};
const toolResult = async (tool: ToolCapability, value: unknown, era: Era) =>
  bodyOf(await encodeToolResult(encoder, tool, value, era));

const untyped = { origin: 'X.y', output: undefined, wrapOutput: false } as unknown as ToolCapability;

function typed(schema: Record<string, unknown>): ToolCapability {
  const output = compileSchema(schema, 'X.y output', 'output');
  return { origin: 'X.y', output, wrapOutput: schema['type'] !== 'object' } as unknown as ToolCapability;
}

const total = typed({ type: 'object', properties: { total: { type: 'integer' } }, required: ['total'] });
const text = (value: string) => ({ type: 'text', text: value });

describe('without output schema', () => {
  it.each([
    ['hi', [text('hi')]],
    ['', [text('')]],
    [7, [text('7')]],
    [false, [text('false')]],
    [null, []],
    [undefined, []],
    [{ a: 1 }, [text('{"a":1}')]],
    [[], [text('[]')]],
    [[1, 2], [text('[1,2]')]],
    [text('hi'), [text('hi')]],
    [
      [text('a'), text('b')],
      [text('a'), text('b')],
    ],
    [[text('a'), 'b'], [text('[{"type":"text","text":"a"},"b"]')]],
    [{ type: 'text', note: 'no block' }, [text('{"type":"text","note":"no block"}')]],
    [() => 1, [text('')]],
  ])('%j is sent as %j', async (value, content) => {
    expect(await toolResult(untyped, value, 'stateless')).toEqual({ content });
  });

  it('passes a full result on', async () => {
    const full = { content: [text('no')], isError: true, structuredContent: { a: 1 }, _meta: { a: 1 } };

    expect(await encodeToolResult(encoder, untyped, full, 'session')).toEqual({
      kind: 'result',
      json: JSON.stringify(full),
      failed: true,
    });
  });

  it('takes an object whose content is something else for an object', async () => {
    expect(await toolResult(untyped, { content: ['page'] }, 'session')).toEqual({
      content: [text('{"content":["page"]}')],
    });
  });
});

describe('with output schema', () => {
  it('sends the value as structured content, and as text for those who know none', async () => {
    expect(await toolResult(total, { total: 3 }, 'session')).toEqual({
      content: [text('{"total":3}')],
      structuredContent: { total: 3 },
    });
  });

  it('wraps what is no object for the session era, which knows no other', async () => {
    const list = typed({ type: 'array', items: { type: 'integer' } });

    expect(await toolResult(list, [1], 'session')).toEqual({
      content: [text('[1]')],
      structuredContent: { result: [1] },
    });
    expect(await toolResult(list, [1], 'stateless')).toEqual({ content: [text('[1]')], structuredContent: [1] });
  });

  it('keeps the content of a full result, and checks what it carries', async () => {
    const full = { content: [text('three')], structuredContent: { total: 3 } };

    expect(await toolResult(total, full, 'session')).toEqual(full);
    await expect(toolResult(total, { content: [text('x')] }, 'session')).rejects.toThrow('X.y returned a value');
  });

  it('lets an error through unchecked', async () => {
    const failed = { content: [text('no')], isError: true };

    expect(await toolResult(total, failed, 'session')).toEqual(failed);
  });

  it.each([undefined, null, {}, { total: 'three' }, 'x'])('refuses %j, naming the handler', async (value) => {
    await expect(toolResult(total, value, 'stateless')).rejects.toMatchObject({
      name: 'InvalidOutputError',
      message: expect.stringContaining('X.y'),
    });
  });
});

it('an error for the model is text that says so', () => {
  const outcome = encodeToolError(encoder, 'Try later.', 'session');

  expect(outcome).toMatchObject({ failed: true });
  expect(bodyOf(outcome)).toEqual({ content: [text('Try later.')], isError: true });
});
