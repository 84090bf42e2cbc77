import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AppendedEvent, AttachmentListener, EventLog, EventRead } from '../../src/mcp/session/event-log.port.js';
import { eventually } from '../support/eventually.js';

export interface EventLogLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly maxStreams: number;
  readonly retentionMs: number;
}

/** Two replicas over one backend (the same object twice where the adapter is process-local), and their clock. */
export interface EventLogHarness {
  readonly log: EventLog;
  readonly peer: EventLog;
  /** Moves the clock of the logs on. */
  advance(ms: number): void | Promise<void>;
  close(): void | Promise<void>;
}

const LIMITS: EventLogLimits = { maxEvents: 5, maxBytes: 100, maxStreams: 3, retentionMs: 10_001 };

/** A connection that counts what it is told. */
class Reader implements AttachmentListener {
  wakes = 0;
  displacements = 0;
  /** What it was handed. */
  readonly events: AppendedEvent[] = [];

  wake(event?: AppendedEvent): void {
    this.wakes += 1;
    if (event) this.events.push(event);
  }

  displaced(): void {
    this.displacements += 1;
  }
}

/** A log may answer, and refuse, at once or later. */
async function append(log: EventLog, ...args: Parameters<EventLog['append']>): Promise<string> {
  return log.append(...args);
}

function dataOf(read: EventRead): readonly string[] | string {
  return read.status === 'ok' ? read.events.map(({ data }) => data) : read.status;
}

/** The behaviour of every adapter of the port. Listeners may be told at once or later, so tests wait for it. */
export function describeEventLog(name: string, factory: (limits: EventLogLimits) => Promise<EventLogHarness>): void {
  describe(`EventLog: ${name}`, () => {
    let harness: EventLogHarness;
    let log: EventLog;
    let peer: EventLog;

    beforeEach(async () => {
      harness = await factory(LIMITS);
      ({ log, peer } = harness);
    });
    afterEach(() => harness.close());

    const appendAll = async (...data: string[]): Promise<string[]> => {
      const cursors: string[] = [];
      for (const one of data) cursors.push(await log.append('s1', 'a', one));
      return cursors;
    };

    describe('append and read', () => {
      it('reads on any replica what was appended on another, in order', async () => {
        const [first, second] = await appendAll('one', 'two');
        expect(await peer.read('s1', 'a', '', 10)).toEqual({
          status: 'ok',
          events: [
            { cursor: first, data: 'one', last: false },
            { cursor: second, data: 'two', last: false },
          ],
        });
      });

      it('reads only what comes after the cursor', async () => {
        const [first] = await appendAll('one', 'two', 'three');
        expect(dataOf(await log.read('s1', 'a', first!, 10))).toEqual(['two', 'three']);
      });

      it('reads nothing after the newest event', async () => {
        const [, second] = await appendAll('one', 'two');
        expect(await log.read('s1', 'a', second!, 10)).toEqual({ status: 'ok', events: [] });
      });

      it('says of the last event that nothing will follow', async () => {
        await log.append('s1', 'a', 'one');
        const last = await log.append('s1', 'a', 'two', true);
        expect(await log.read('s1', 'a', last, 10)).toEqual({ status: 'ended' });
      });

      it('reads no more than the limit', async () => {
        await appendAll('one', 'two', 'three');
        expect(dataOf(await log.read('s1', 'a', '', 2))).toEqual(['one', 'two']);
      });

      it('keeps text as it is, of any script and with line breaks', async () => {
        await appendAll('{"text":"日本\\n 🎉"}\n');
        expect(dataOf(await peer.read('s1', 'a', '', 1))).toEqual(['{"text":"日本\\n 🎉"}\n']);
      });

      it('does not know a stream that nothing was appended to', async () => {
        await appendAll('one');
        expect(await log.read('s1', 'b', '', 10)).toEqual({ status: 'unknown' });
        expect(await log.read('s2', 'a', '', 10)).toEqual({ status: 'unknown' });
      });

      it('keeps streams and sessions apart', async () => {
        await log.append('s1', 'a', 's1a');
        await log.append('s1', 'b', 's1b');
        await log.append('s2', 'a', 's2a');
        expect(dataOf(await log.read('s1', 'a', '', 10))).toEqual(['s1a']);
        expect(dataOf(await log.read('s2', 'a', '', 10))).toEqual(['s2a']);
      });

      it('marks the last event and takes none after it', async () => {
        const cursor = await log.append('s1', 'a', 'done', true);
        expect(await log.read('s1', 'a', '', 10)).toEqual({
          status: 'ok',
          events: [{ cursor, data: 'done', last: true }],
        });
        await expect(append(peer, 's1', 'a', 'more')).rejects.toThrow();
        expect(dataOf(await log.read('s1', 'a', '', 10))).toEqual(['done']);
      });
    });

    describe('gaps', () => {
      it('reports a cursor that is no cursor', async () => {
        const [one] = await appendAll('one');
        const nearly = [`${one} `, ` ${one}`, `${one}x`, `${one}.5`];
        for (const cursor of ['nonsense', '-', '0', '-1', '1e3', ' ', '99999999999999-0', 'NaN', '\u0000', ...nearly]) {
          expect([cursor, await log.read('s1', 'a', cursor, 10)]).toEqual([cursor, { status: 'gap' }]);
        }
      });

      it('reports a cursor that lies ahead of the tail', async () => {
        const other = await factory(LIMITS);
        await appendAll('one');
        // A longer stream of the same name elsewhere: what a backend that lost its data would be asked for.
        for (const data of ['one', 'two', 'three']) await other.log.append('s1', 'a', data);
        const ahead = await other.log.append('s1', 'a', 'four');
        await other.close();
        expect(await log.read('s1', 'a', ahead, 10)).toEqual({ status: 'gap' });
      });

      it('reports the beginning once the oldest event was trimmed', async () => {
        await appendAll('1', '2', '3', '4', '5', '6');
        expect(await log.read('s1', 'a', '', 10)).toEqual({ status: 'gap' });
      });

      it('reports a cursor when an event after it was trimmed', async () => {
        const [first] = await appendAll('1', '2', '3', '4', '5', '6', '7');
        expect(await log.read('s1', 'a', first!, 10)).toEqual({ status: 'gap' });
      });

      it('reads on for a reader that has seen all that was trimmed', async () => {
        const [, second] = await appendAll('1', '2', '3', '4', '5', '6', '7');
        expect(dataOf(await log.read('s1', 'a', second!, 10))).toEqual(['3', '4', '5', '6', '7']);
      });

      it('trims the oldest events by their bytes, not by their characters', async () => {
        const [, second] = await appendAll('x'.repeat(40), 'é'.repeat(20), 'y'.repeat(40), 'z'.repeat(20));
        expect(await log.read('s1', 'a', '', 10)).toEqual({ status: 'gap' });
        expect(dataOf(await log.read('s1', 'a', second!, 10))).toEqual(['y'.repeat(40), 'z'.repeat(20)]);
      });

      it('reports an event that is larger than a stream may be, and goes on after it', async () => {
        const [first, large] = await appendAll('one', 'x'.repeat(101));
        expect(await log.read('s1', 'a', first!, 10)).toEqual({ status: 'gap' });
        expect(await log.read('s1', 'a', '', 10)).toEqual({ status: 'gap' });
        await appendAll('three');
        expect(dataOf(await log.read('s1', 'a', large!, 10))).toEqual(['three']);
      });
    });

    describe('retention', () => {
      it('forgets a stream some time after its last event', async () => {
        await appendAll('one');
        await harness.advance(9_000);
        await appendAll('two');
        await harness.advance(9_000);
        expect(dataOf(await log.read('s1', 'a', '', 10))).toEqual(['one', 'two']);
        await harness.advance(2_000);
        expect(await log.read('s1', 'a', '', 10)).toEqual({ status: 'unknown' });
      });

      it('keeps a stream that is being read, and for a while after', async () => {
        const [first] = await appendAll('one');
        const attachment = await peer.attach('s1', 'a', new Reader());
        await harness.advance(11_000);
        await appendAll('two');
        expect(dataOf(await log.read('s1', 'a', first!, 10))).toEqual(['two']);
        await harness.advance(11_000);
        attachment.detach();
        await harness.advance(9_000);
        expect(dataOf(await log.read('s1', 'a', '', 10))).toEqual(['one', 'two']);
      });

      it('takes a cursor of a forgotten stream for a gap in the one made after it', async () => {
        const [first] = await appendAll('one', 'two');
        await harness.advance(11_000);
        await appendAll('three', 'four');
        expect(await log.read('s1', 'a', first!, 10)).toEqual({ status: 'gap' });
      });

      it('drops the stream least recently written when a session has too many', async () => {
        for (const stream of ['a', 'b', 'c', 'a', 'd']) {
          await log.append('s1', stream, stream);
          await harness.advance(1_000);
        }
        expect(await log.read('s1', 'b', '', 10)).toEqual({ status: 'unknown' });
        expect(dataOf(await log.read('s1', 'a', '', 10))).toEqual(['a', 'a']);
      });

      it('does not drop a stream that is being read', async () => {
        await appendAll('one');
        await log.attach('s1', 'a', new Reader());
        for (const stream of ['b', 'c', 'd']) {
          await harness.advance(1_000);
          await log.append('s1', stream, stream);
        }
        expect(dataOf(await log.read('s1', 'a', '', 10))).toEqual(['one']);
        expect(await log.read('s1', 'b', '', 10)).toEqual({ status: 'unknown' });
      });

      it('refuses one stream too many when all are being read', async () => {
        for (const stream of ['a', 'b', 'c']) await log.attach('s1', stream, new Reader());
        await expect(append(log, 's1', 'd', 'x')).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
        await expect(append(log, 's2', 'd', 'x')).resolves.toBeTypeOf('string');
      });
    });

    describe('attach', () => {
      it('wakes the reader after each append, on whichever replica', async () => {
        const reader = new Reader();
        await peer.attach('s1', 'a', reader);
        for (const data of ['one', 'two']) {
          const before = reader.wakes;
          await log.append('s1', 'a', data);
          await eventually(() => expect(reader.wakes).toBeGreaterThan(before));
        }
      });

      it('wakes the reader at once if there is something to read', async () => {
        await appendAll('one');
        const reader = new Reader();
        await peer.attach('s1', 'a', reader);
        await eventually(() => expect(reader.wakes).toBeGreaterThan(0));
      });

      it('hands the reader what was appended where it reads, with the cursor of the event before', async () => {
        const before = await log.append('s1', 'a', 'zero');
        const reader = new Reader();
        await log.attach('s1', 'a', reader);
        const [one, two] = await appendAll('one', 'two');
        const three = await log.append('s1', 'a', 'three', true);
        expect(reader.events).toEqual([
          { cursor: one, data: 'one', last: false, after: before },
          { cursor: two, data: 'two', last: false, after: one },
          { cursor: three, data: 'three', last: true, after: two },
        ]);
      });

      it('hands over the first event of a stream as one that follows nothing', async () => {
        const reader = new Reader();
        await log.attach('s1', 'a', reader);
        const cursor = await log.append('s1', 'a', 'one');
        expect(reader.events).toEqual([{ cursor, data: 'one', last: false, after: '' }]);
      });

      it('hands over nothing that is too large to be kept', async () => {
        const reader = new Reader();
        await log.attach('s1', 'a', reader);
        await appendAll('x'.repeat(101));
        expect(reader).toMatchObject({ wakes: 1, events: [] });
        const [next] = await appendAll('next');
        expect(reader.events).toMatchObject([{ cursor: next, data: 'next' }]);
      });

      it('makes no stream', async () => {
        await log.attach('s1', 'a', new Reader());
        expect(await log.read('s1', 'a', '', 10)).toEqual({ status: 'unknown' });
      });

      it('displaces the reader before, once', async () => {
        const [first, second, third] = [new Reader(), new Reader(), new Reader()];
        await log.attach('s1', 'a', first);
        await peer.attach('s1', 'a', second);
        await log.attach('s1', 'a', third);
        await eventually(() => expect([first.displacements, second.displacements]).toEqual([1, 1]));
        await log.clear('s1');
        await eventually(() => expect(third.displacements).toBe(1));
        expect([first.displacements, second.displacements]).toEqual([1, 1]);
      });

      it('wakes only the reader that holds the stream', async () => {
        const [former, present] = [new Reader(), new Reader()];
        await log.attach('s1', 'a', former);
        await peer.attach('s1', 'a', present);
        await eventually(() => expect(former.displacements).toBe(1));
        const before = former.wakes;
        await log.append('s1', 'a', 'one');
        await eventually(() => expect(present.wakes).toBeGreaterThan(0));
        expect(former.wakes).toBe(before);
      });

      it('leaves the readers of other streams alone', async () => {
        const [other, present] = [new Reader(), new Reader()];
        await log.attach('s1', 'b', other);
        await log.attach('s1', 'a', new Reader());
        await log.attach('s1', 'a', present);
        await appendAll('one');
        await eventually(() => expect(present.wakes).toBeGreaterThan(0));
        expect(other).toMatchObject({ wakes: 0, displacements: 0 });
      });

      it('displaces a listener that attaches twice from its first attachment', async () => {
        const reader = new Reader();
        const first = await log.attach('s1', 'a', reader);
        await log.attach('s1', 'a', reader);
        await eventually(() => expect(reader.displacements).toBe(1));
        first.detach();
        await appendAll('one');
        await eventually(() => expect(reader.wakes).toBeGreaterThan(0));
      });

      it('survives a listener that throws', async () => {
        const fail = (): never => {
          throw new Error('listener failed');
        };
        const reader = new Reader();
        await log.attach('s1', 'a', { wake: fail, displaced: fail });
        await expect(append(log, 's1', 'a', 'one')).resolves.toBeTypeOf('string');
        await log.attach('s1', 'a', reader);
        await eventually(() => expect(reader.wakes).toBeGreaterThan(0));
      });
    });

    describe('detach', () => {
      it('ends the wake-ups and prevents the displacement', async () => {
        const [gone, second, third] = [new Reader(), new Reader(), new Reader()];
        const attachment = await log.attach('s1', 'a', gone);
        attachment.detach();
        await appendAll('one');
        await peer.attach('s1', 'a', second);
        await log.attach('s1', 'a', third);
        await eventually(() => expect(second.displacements).toBe(1));
        expect(gone).toMatchObject({ wakes: 0, displacements: 0 });
      });

      it('is harmless the second time, and after a displacement', async () => {
        const reader = new Reader();
        const former = await log.attach('s1', 'a', new Reader());
        await peer.attach('s1', 'a', reader);
        former.detach();
        former.detach();
        await appendAll('one');
        await eventually(() => expect(reader.wakes).toBeGreaterThan(0));
        expect(reader.displacements).toBe(0);
      });

      it('may be called by the reader that is told of its displacement', async () => {
        const reader = new Reader();
        const attachment = await log.attach('s1', 'a', { wake: () => undefined, displaced: () => attachment.detach() });
        await log.attach('s1', 'a', reader);
        await appendAll('one');
        await eventually(() => expect(reader.wakes).toBeGreaterThan(0));
      });
    });

    describe('clear', () => {
      it('removes every stream of the session and of no other', async () => {
        await log.append('s1', 'a', 'one');
        await log.append('s1', 'b', 'two');
        await log.append('s2', 'a', 'three');
        await peer.clear('s1');
        expect(await log.read('s1', 'a', '', 10)).toEqual({ status: 'unknown' });
        expect(await log.read('s1', 'b', '', 10)).toEqual({ status: 'unknown' });
        expect(dataOf(await log.read('s2', 'a', '', 10))).toEqual(['three']);
      });

      it('displaces the readers, once', async () => {
        const [first, second] = [new Reader(), new Reader()];
        await appendAll('one');
        await log.attach('s1', 'a', first);
        await peer.attach('s1', 'b', second);
        await log.clear('s1');
        await log.clear('s1');
        await eventually(() => expect([first.displacements, second.displacements]).toEqual([1, 1]));
      });

      it('is harmless for a session without streams', async () => {
        await expect(log.clear('s9')).resolves.toBeUndefined();
      });
    });

    it('behaves like a simple model under any sequence of calls', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(commands, { maxLength: 60 }), async (sequence) => {
          const fresh = await factory(LIMITS);
          try {
            await runAgainstModel(fresh, sequence);
          } finally {
            await fresh.close();
          }
        }),
        { numRuns: 150 },
      );
    });
  });
}

const streamIds = fc.constantFrom('a', 'b');
const commands = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      stream: streamIds,
      data: fc.oneof(fc.string({ maxLength: 60 }), fc.constant('€'.repeat(34)), fc.string({ unit: 'grapheme' })),
      last: fc.integer({ max: 14, min: 0 }).map((n) => n === 0),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      stream: streamIds,
      /** Which of the cursors known so far, counted from the newest; none is the beginning. */
      back: fc.nat({ max: 9 }),
      limit: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('attach' as const), stream: streamIds }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('detach' as const), reader: fc.nat({ max: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
);

type Command = typeof commands extends fc.Arbitrary<infer T> ? T : never;

interface ModelEvent {
  readonly cursor: string;
  readonly data: string;
  readonly last: boolean;
}

/** All that was ever appended, of which the newest that fit are kept. */
class ModelStream {
  readonly events: ModelEvent[] = [];

  get firstKept(): number {
    let first = this.events.length;
    let bytes = 0;
    for (let i = this.events.length - 1; i >= 0; i -= 1) {
      bytes += Buffer.byteLength(this.events[i]!.data);
      if (bytes > LIMITS.maxBytes || this.events.length - i > LIMITS.maxEvents) break;
      first = i;
    }
    return first;
  }

  read(after: string, limit: number): EventRead {
    if (this.events.length === 0) return { status: 'unknown' };
    const position = after === '' ? 0 : this.events.findIndex(({ cursor }) => cursor === after) + 1;
    // 0 for a cursor of a stream that was cleared.
    if ((position === 0 && after !== '') || position < this.firstKept) return { status: 'gap' };
    if (position === this.events.length && this.events.at(-1)?.last) return { status: 'ended' };
    return { status: 'ok', events: this.events.slice(position, position + limit) };
  }
}

async function runAgainstModel({ log, peer }: EventLogHarness, sequence: readonly Command[]): Promise<void> {
  const streams = new Map<string, ModelStream>();
  const streamOf = (id: string): ModelStream => {
    const stream = streams.get(id) ?? new ModelStream();
    streams.set(id, stream);
    return stream;
  };
  const cursors: Record<string, string[]> = { a: [''], b: [''] };
  const readers: { reader: Reader; stream: string; detach(): void; attached: boolean; displaced: number }[] = [];

  for (const [index, command] of sequence.entries()) {
    const target = index % 2 === 0 ? log : peer;
    switch (command.do) {
      case 'append': {
        const stream = streamOf(command.stream);
        if (stream.events.at(-1)?.last) {
          await expect(append(target, 's', command.stream, command.data)).rejects.toThrow();
          break;
        }
        const attached = readers.find((r) => r.attached && r.stream === command.stream);
        const before = attached?.reader.wakes ?? 0;
        const cursor = await target.append('s', command.stream, command.data, command.last);
        stream.events.push({ cursor, data: command.data, last: command.last });
        cursors[command.stream]!.push(cursor);
        if (attached) await eventually(() => expect(attached.reader.wakes).toBeGreaterThan(before));
        break;
      }
      case 'read': {
        const after = cursors[command.stream]!.at(-1 - command.back) ?? '';
        expect(await target.read('s', command.stream, after, command.limit)).toEqual(
          streamOf(command.stream).read(after, command.limit),
        );
        break;
      }
      case 'attach': {
        const former = readers.find((r) => r.attached && r.stream === command.stream);
        const reader = new Reader();
        const attachment = await target.attach('s', command.stream, reader);
        if (former) Object.assign(former, { attached: false, displaced: 1 });
        readers.push({
          reader,
          stream: command.stream,
          detach: () => attachment.detach(),
          attached: true,
          displaced: 0,
        });
        break;
      }
      case 'detach': {
        const chosen = readers.at(command.reader);
        chosen?.detach();
        if (chosen) chosen.attached = false;
        break;
      }
      case 'clear':
        await target.clear('s');
        streams.clear();
        for (const r of readers.filter(({ attached }) => attached)) Object.assign(r, { attached: false, displaced: 1 });
    }
    await eventually(() => expect(readers.map((r) => r.reader.displacements)).toEqual(readers.map((r) => r.displaced)));
  }
}
