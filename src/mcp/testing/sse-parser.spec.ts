import { describe, expect, it } from 'vitest';
import { SseParser, type ServerSentEvent } from './sse-parser.js';

const parse = (text: string): ServerSentEvent[] => new SseParser().push(Buffer.from(text));

/** Feeds the bytes in pieces of one size. */
function parseInPieces(text: string, size: number): ServerSentEvent[] {
  const parser = new SseParser();
  const bytes = Buffer.from(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  return pieces.flatMap((piece) => parser.push(piece));
}

describe('SseParser', () => {
  it('reads data, id and retry of an event', () => {
    expect(parse('id: 7\nretry: 250\ndata: {"a":1}\n\n')).toEqual([{ id: '7', retry: 250, data: '{"a":1}' }]);
  });

  it.each([
    ['LF', 'data: a\n\ndata: b\n\n'],
    ['CR', 'data: a\r\rdata: b\r\r'],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n'],
  ])('knows lines that end with %s', (_name, text) => {
    expect(parse(text)).toEqual([{ data: 'a' }, { data: 'b' }]);
  });

  it('joins several lines of data', () => {
    expect(parse('data: a\ndata:\ndata:  b\n\n')).toEqual([{ data: 'a\n\n b' }]);
  });

  it('takes off one space after the colon, and none elsewhere', () => {
    expect(parse('data:  a \n\ndata:b\n\n')).toEqual([{ data: ' a ' }, { data: 'b' }]);
  });

  it('passes over comments, unknown fields and empty events', () => {
    expect(parse(':\n\n: keep-alive\n\nevent: message\nother: x\n\n\ndata: a\n\n')).toEqual([{ data: 'a' }]);
  });

  it('passes over an id with NUL and a retry that is no number', () => {
    expect(parse('id: a\0b\nretry: soon\ndata: a\n\n')).toEqual([{ data: 'a' }]);
  });

  it('yields an event that only sets an id', () => {
    expect(parse('id: 7\ndata: \n\nid: 8\n\n')).toEqual([
      { id: '7', data: '' },
      { id: '8', data: '' },
    ]);
  });

  it('does not carry fields over to the next event', () => {
    expect(parse('id: 7\nretry: 1\ndata: a\n\ndata: b\n\n')[1]).toEqual({ data: 'b' });
  });

  it('holds an event back until its empty line has come', () => {
    const parser = new SseParser();

    expect(parser.push(Buffer.from('data: a\n'))).toEqual([]);
    expect(parser.push(Buffer.from('\n'))).toEqual([{ data: 'a' }]);
  });

  it('passes over a byte order mark at the beginning only', () => {
    expect(parse('\ufeffdata: \ufeffa\n\n')).toEqual([{ data: '\ufeffa' }]);
  });

  it.each([1, 2, 3, 5, 7])('reads the same from pieces of %i bytes', (size) => {
    const text = 'id: ä1\r\ndata: {"text":"Zürich 🦩"}\r\ndata: zwei\r\n\r\n: ö\r\rdata: drei\n\n';

    expect(parseInPieces(text, size)).toEqual([{ id: 'ä1', data: '{"text":"Zürich 🦩"}\nzwei' }, { data: 'drei' }]);
  });

  it('takes CR and LF that come apart for one line end', () => {
    const parser = new SseParser();
    const events = ['data: a\r', '\n', 'data: b\r', '\n\r', '\n'].flatMap((piece) => parser.push(Buffer.from(piece)));

    expect(events).toEqual([{ data: 'a\nb' }]);
  });
});
