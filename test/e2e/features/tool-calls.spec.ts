import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpCall, McpRegistry, McpTool } from '../../../src/index.js';
import { ERAS, serve } from '../nest/serve.js';

const said = (text: string) => ({ content: [{ type: 'text', text }] });
const told = (text: string) => ({ isError: true, content: [{ type: 'text', text }] });

@Injectable()
class Greetings {
  @McpTool({ input: { type: 'object' } })
  greet(input: Record<string, unknown>): string {
    return `Hello ${JSON.stringify(input)}`;
  }
}

describe.each(ERAS)('tools/call in the %s era', (era) => {
  it('refuses a tool that does not exist, whatever its case', async () => {
    await using app = await serve({ providers: [Greetings] });
    const client = app.client({ era });

    await expect(client.call('nope')).rejects.toMatchObject({ code: -32602, message: 'Unknown tool: nope' });
    await expect(client.call('Greet')).rejects.toMatchObject({ code: -32602, message: 'Unknown tool: Greet' });
    await expect(client.call('toString')).rejects.toMatchObject({ code: -32602, message: 'Unknown tool: toString' });
  });

  it.each([
    [{}, 'params.name must be a string.'],
    [{ name: 7 }, 'params.name must be a string.'],
    [{ name: 'greet', arguments: 'Ann' }, 'params.arguments must be an object.'],
    [{ name: 'greet', arguments: ['Ann'] }, 'params.arguments must be an object.'],
  ])('refuses the malformed %j', async (params, message) => {
    await using app = await serve({ providers: [Greetings] });

    await expect(app.client({ era }).request('tools/call', params)).rejects.toMatchObject({ code: -32602, message });
  });

  it('runs with no arguments for {}', async () => {
    await using app = await serve({ providers: [Greetings] });

    expect(await app.client({ era }).request('tools/call', { name: 'greet' })).toMatchObject(said('Hello {}'));
  });

  it('stops at the time limit of the tool, tells the model, and aborts the handler', async () => {
    let reason: unknown;
    @Injectable()
    class Tools {
      @McpTool({ timeoutMs: 30 })
      wait(call: McpCall): Promise<never> {
        return new Promise((_resolve, reject) => {
          call.signal.addEventListener('abort', () => {
            reason = call.signal.reason;
            reject(new Error('aborted'));
          });
        });
      }
    }
    await using app = await serve({ providers: [Tools] });

    expect(await app.client({ era }).call('wait')).toEqual(
      told('This took longer than 30 ms and was stopped. Try a smaller request.'),
    );
    expect(reason).toMatchObject({ name: 'CallTimedOut', timeoutMs: 30 });
  });

  it('has the time limit of the module where the tool has none, and a longer one where it has', async () => {
    const soon = () => new Promise<string>((resolve) => setTimeout(() => resolve('done'), 60));
    @Injectable()
    class Tools {
      @McpTool()
      short(): Promise<string> {
        return soon();
      }
      @McpTool({ timeoutMs: 10_000 })
      long(): Promise<string> {
        return soon();
      }
    }
    await using app = await serve({ providers: [Tools] }, { options: { callTimeoutMs: 20 } });
    const client = app.client({ era });

    expect(await client.call('short')).toEqual(
      told('This took longer than 20 ms and was stopped. Try a smaller request.'),
    );
    expect(await client.call('long')).toEqual(said('done'));
  });

  it('sends no result above the size cap, counted in UTF-8 bytes, and tells the model', async () => {
    await using app = await serve({}, { options: { maxResultBytes: 2_000 } });
    const registry = app.get(McpRegistry);
    registry.addTool({ name: 'fits', handler: () => 'x'.repeat(1_500) });
    registry.addTool({ name: 'long', handler: () => 'x'.repeat(2_000) });
    registry.addTool({ name: 'wide', handler: () => '日'.repeat(1_000) });
    const client = app.client({ era });

    expect(await client.call('fits')).toEqual(said('x'.repeat(1_500)));
    for (const name of ['long', 'wide']) {
      expect(await client.call(name)).toMatchObject({
        isError: true,
        content: [
          {
            text: expect.stringMatching(/^The result is too large \(\d+ bytes; the limit is 2000\)\. Ask for less\.$/),
          },
        ],
      });
    }
  });
});

describe('a call that asks for a task', () => {
  it('runs as an ordinary call, since this server declares no tasks', async () => {
    await using app = await serve({ providers: [Greetings] });
    const client = app.client({ revision: '2025-11-25' });

    const result = await client.request('tools/call', { name: 'greet', arguments: {}, task: { ttl: 60_000 } });

    expect(result).toEqual(said('Hello {}'));
  });
});

describe('an argument that is mirrored into a header', () => {
  @Injectable()
  class Tools {
    @McpTool({
      input: {
        type: 'object',
        properties: { page: { type: 'integer', 'x-mcp-header': 'Page' } },
      },
    })
    list(input: Record<string, unknown>): string {
      return `page ${String(input['page'])}`;
    }
  }

  it('is compared with it, and refused where they differ', async () => {
    await using app = await serve({ providers: [Tools] });
    const client = app.client();

    expect(await client.call('list', { page: 7 })).toEqual(said('page 7'));
    expect(await client.call('list', { page: -Number.MAX_SAFE_INTEGER })).toEqual(said('page -9007199254740991'));
    await expect(client.call('list', { page: 7 }, { headers: { 'mcp-param-page': '8' } })).rejects.toMatchObject({
      code: -32020,
      status: 400,
    });
  });

  it('is refused beyond the integers that every party reads alike', async () => {
    await using app = await serve({ providers: [Tools] });

    for (const page of [2 ** 53, -(2 ** 53), 1e300]) {
      await expect(app.client().call('list', { page })).rejects.toMatchObject({ code: -32020, status: 400 });
    }
  });
});
