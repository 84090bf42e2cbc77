import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LineWriter } from './line-writer.js';

/** A reader that takes nothing until it is let. */
class SlowReader extends Writable {
  readonly taken: string[] = [];
  private takeNext: (() => void) | undefined;
  private slow = true;

  constructor() {
    super({ highWaterMark: 10 });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.taken.push(chunk.toString());
    if (this.slow) this.takeNext = done;
    else done();
  }

  catchUp(): void {
    this.slow = false;
    this.takeNext?.();
  }
}

describe('LineWriter', () => {
  it('writes one message a line', () => {
    const reader = new SlowReader();

    new LineWriter(reader, 100).write('{}');

    expect(reader.taken).toEqual(['{}\n']);
  });

  it('leaves out for a slow reader what may be, and writes the rest when it has caught up', async () => {
    const reader = new SlowReader();
    const writer = new LineWriter(reader, 10);

    writer.write('a large response');
    writer.offer('progress');
    writer.announce('changed', () => true);
    writer.announce('changed', () => true);
    writer.announce('unwanted', () => false);
    writer.write('response');
    const drained = writer.drained();
    reader.catchUp();
    await drained;

    expect(reader.taken).toEqual(['a large response\n', 'response\n', 'changed\n']);
  });

  it('does not wait for a reader that has gone', async () => {
    const reader = new SlowReader();
    const writer = new LineWriter(reader, 10);
    writer.write('a large response');

    const drained = writer.drained();
    reader.destroy(new Error('write EPIPE'));
    await drained;
    await writer.closed;
    writer.write('into the void');

    expect(reader.taken).toEqual(['a large response\n']);
  });

  it('ends in time although the reader does not take what is left', async () => {
    const reader = new SlowReader();
    const writer = new LineWriter(reader, 10);
    writer.write('left');

    await writer.end(5);
    writer.write('too late');

    expect(reader.writableFinished).toBe(false);
  });
});
