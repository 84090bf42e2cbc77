import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LoggedStream } from './logged-stream.js';
import { StreamQueue } from './stream-queue.js';

it('keeps streams in the order in which they were put last', () => {
  const steps = fc.array(fc.record({ stream: fc.nat({ max: 4 }), put: fc.boolean() }), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (sequence) => {
      const queue = new StreamQueue();
      const streams = Array.from({ length: 5 }, (_, n) => new LoggedStream('s', `${n}`, n, 0));
      let expected: LoggedStream[] = [];
      for (const { stream: n, put } of sequence) {
        const stream = streams[n]!;
        if (put) queue.putLast(stream);
        else queue.remove(stream);
        expected = [...expected.filter((other) => other !== stream), ...(put ? [stream] : [])];
      }
      const order: LoggedStream[] = [];
      for (let { first } = queue; first && order.length < streams.length; first = queue.first) {
        order.push(first);
        queue.remove(first);
      }
      expect(order).toEqual(expected);
    }),
  );
});
