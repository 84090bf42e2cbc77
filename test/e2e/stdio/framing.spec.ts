import { Injectable } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { McpTool } from '../../../src/index.js';
import { StdioChannel, stateless } from './stdio-channel.js';

@Injectable()
class EchoTools {
  @McpTool({ input: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } })
  echo({ text }: { text: string }): string {
    return text;
  }
}

const PARSE_ERROR = { code: -32700, message: 'The line is not valid JSON.' };

describe('stdio framing', () => {
  it('writes each message on one line, whatever its values hold', async () => {
    await using channel = await StdioChannel.open([EchoTools]);
    const text = 'first\nsecond\r\nthird\u2028fourth';

    const response = await channel.ask(stateless(1, 'tools/call', { name: 'echo', arguments: { text } }));

    expect(response).toMatchObject({ result: { content: [{ type: 'text', text }] } });
    expect(channel.lines.all).toHaveLength(1);
  });

  it('reads messages whose characters are split across chunks', async () => {
    await using channel = await StdioChannel.open([EchoTools]);
    const bytes = Buffer.from(
      `${JSON.stringify(stateless(1, 'tools/call', { name: 'echo', arguments: { text: 'grün 🌱' } }))}\n`,
    );

    for (const byte of bytes) channel.input.write(Buffer.from([byte]));

    expect(await channel.lines.response(1)).toMatchObject({ result: { content: [{ text: 'grün 🌱' }] } });
  });

  it('takes CRLF for a line end and ignores blank lines', async () => {
    await using channel = await StdioChannel.open();

    channel.input.write(`\r\n\n  \n${JSON.stringify(stateless(1, 'server/discover'))}\r\n`);

    expect(await channel.lines.response(1)).toMatchObject({ result: { resultType: 'complete' } });
    expect(channel.lines.all).toHaveLength(1);
  });

  it.each([
    ['a line that is not JSON', '{"jsonrpc":', PARSE_ERROR],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), { code: -32700 }],
    ['a value that is no message', '42', { code: -32600, message: 'A JSON-RPC message must be an object.' }],
    ['another version of JSON-RPC', '{"jsonrpc":"1.0","method":"ping"}', { code: -32600 }],
    ['JSON that nests too deep', `${'['.repeat(65)}${']'.repeat(65)}`, { code: -32600 }],
    ['a batch before initialize', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', { code: -32600 }],
  ])('answers %s with an error without id, and goes on', async (_what, line, error) => {
    await using channel = await StdioChannel.open();

    channel.input.write(line);
    channel.input.write('\n');

    const refusal = await channel.lines.message((message) => 'error' in message);
    expect(refusal).toMatchObject({ jsonrpc: '2.0', error });
    expect(refusal).not.toHaveProperty('id');
    expect(await channel.ask(stateless(2, 'server/discover'))).toHaveProperty('result');
  });

  it('answers an invalid request whose id can be read under that id', async () => {
    await using channel = await StdioChannel.open();

    channel.send({ jsonrpc: '2.0', id: 'mine', method: 7 });

    expect(await channel.lines.response('mine')).toEqual({
      jsonrpc: '2.0',
      id: 'mine',
      error: { code: -32600, message: 'method must be a string.' },
    });
  });

  it('discards a line that is too long, up to its newline, and says so once', async () => {
    await using channel = await StdioChannel.open([], { http: { maxBodyBytes: 1024 } });

    for (let count = 0; count < 64; count++) channel.input.write('x'.repeat(1024));
    channel.input.write(`\n${JSON.stringify(stateless(1, 'server/discover'))}\n`);

    await channel.lines.response(1);
    expect(channel.lines.messages).toEqual([
      { jsonrpc: '2.0', error: { code: 413, message: 'The line is longer than 1024 bytes.' } },
      expect.objectContaining({ id: 1, result: expect.anything() }),
    ]);
  });
});
