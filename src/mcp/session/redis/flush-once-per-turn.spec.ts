import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { flushOncePerTurn } from './flush-once-per-turn.js';

it('what is written in one turn goes out together and in order, and what comes later after it', async () => {
  const sent: string[] = [];
  const connection = new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => {
      sent.push(chunk);
      done();
    },
    writev: (chunks, done) => {
      sent.push(chunks.map(({ chunk }) => String(chunk)).join(' '));
      done();
    },
  });
  flushOncePerTurn(connection);
  connection.write('a');
  await Promise.resolve();
  connection.write('b');
  expect(sent).toEqual([]);
  await turn();
  connection.write('c');
  await turn();
  expect(sent).toEqual(['a b', 'c']);
});
