import { type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConstantHeaders, QuickResponse } from './quick-response.js';

const constant = new ConstantHeaders({ 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff' });

/** Answers one request over a real socket. */
async function answer(write: (response: QuickResponse) => void): Promise<Response> {
  const server: Server = createServer(
    { ServerResponse: QuickResponse as typeof ServerResponse },
    (_request, response) => write(response as QuickResponse),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

describe('text', () => {
  it.each(['plain', 'é', '日本語 🎉', '', 'a\u0000b', '\u00ff'])('arrives as it is: %j', async (text) => {
    const response = await answer((each) => each.setHeader('content-type', 'text/plain; charset=utf-8').end(text));
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(text));
  });

  it('goes out in the encoding that is asked for, and calls back', async () => {
    let ended = 0;
    const response = await answer((each) => each.end('4142', 'hex', () => (ended += 1)));
    expect(await response.text()).toBe('AB');
    expect(ended).toBe(1);
    await (await answer((each) => each.end('plain', () => (ended += 1)))).text();
    expect(ended).toBe(2);
  });

  it('may be bytes, or nothing', async () => {
    expect(await (await answer((each) => each.end(Buffer.from('é')))).text()).toBe('é');
    expect(await (await answer((each) => each.end())).text()).toBe('');
  });
});

describe('constant headers', () => {
  it.each<[string, (response: QuickResponse) => void]>([
    ['without a head of its own', (each) => each.end('a')],
    ['with an object', (each) => each.writeHead(200, { 'x-own': '1' }).end('a')],
    ['with a list', (each) => each.writeHead(200, ['x-own', '1']).end('a')],
    ['with headers set before', (each) => each.setHeader('x-own', '1').writeHead(200).end('a')],
    ['flushed first', (each) => (each.flushHeaders(), each.end('a'))],
  ])('are in the head: %s', async (_how, write) => {
    const { headers } = await answer((each) => {
      each.constantHeaders = constant;
      write(each);
    });
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.each<[string, (response: QuickResponse) => void]>([
    ['an object', (each) => each.writeHead(200, { 'X-Frame-Options': 'SAMEORIGIN' }).end('a')],
    ['a list', (each) => each.writeHead(200, ['X-Frame-Options', 'SAMEORIGIN']).end('a')],
    ['setHeader', (each) => each.setHeader('X-Frame-Options', 'SAMEORIGIN').end('a')],
  ])('give way to those of the response itself: %s', async (_how, write) => {
    const { headers } = await answer((each) => {
      each.constantHeaders = constant;
      write(each);
    });
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('can be set by this version of Node', () => {
    expect(QuickResponse.takesConstantHeaders).toBe(true);
  });
});

describe('an answer whose headers are all known', () => {
  const lines = 'content-type: application/json\r\nvary: Origin\r\n';

  it.each(['{"a":1}', '{"a":"é 🎉"}', ''])('has its lines, its length and its text: %s', async (text) => {
    const response = await answer((each) => each.sendWhole(203, lines, text));
    expect(response.status).toBe(203);
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(text)));
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe(text);
  });

  it.each(['{"id":1', '{"id":"é 🎉"'])('may end with bytes: %s', async (text) => {
    const bytes = Buffer.from('"ü":'.repeat(30_000));
    const response = await answer((each) => each.sendWhole(200, lines, text, bytes));
    expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(text) + bytes.length));
    expect(response.headers.get('transfer-encoding')).toBeNull();
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.text()).toBe(text + bytes.toString());
  });

  it('has those that were set on it before, once each', async () => {
    const { headers } = await answer((each) => {
      each.setHeader('Vary', 'Accept').setHeader('connection', 'close');
      each.sendWhole(200, lines, 'a');
    });
    expect(headers.get('vary')).toBe('Accept');
    expect(headers.get('content-type')).toBe('application/json');
    expect(headers.get('connection')).toBe('close');
  });
});
