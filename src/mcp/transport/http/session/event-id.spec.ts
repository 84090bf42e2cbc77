import { describe, expect, it } from 'vitest';
import { changeCursorOf, changeEventId, eventId, newStreamId, parseEventId, requestIdsOf } from './event-id.js';

describe('a stream id', () => {
  it('tells the requests it answers', () => {
    expect(requestIdsOf(newStreamId([1, 'two', 'ü.-_"']))).toEqual([1, 'two', 'ü.-_"']);
  });

  it('is new each time, and fits into an event id and a header', () => {
    const [one, two] = [newStreamId([1]), newStreamId([1])];

    expect(one).not.toBe(two);
    expect(newStreamId(['a.b\n', 'ü'])).toMatch(/^[\w-]+$/);
  });

  it.each(['', 'x', 'x_', 'x_!!', `x_${Buffer.from('{}').toString('base64url')}`, 'x_bnVsbA'])(
    'that nobody made tells none: "%s"',
    (id) => {
      expect(requestIdsOf(id)).toEqual([]);
    },
  );

  it('tells none that could not be ids', () => {
    expect(requestIdsOf(`x_${Buffer.from('[1,null,{},"a"]').toString('base64url')}`)).toEqual([1, 'a']);
  });
});

describe('an event id', () => {
  it('is read back', () => {
    expect(parseEventId(eventId('stream', '3-7'))).toEqual({ streamId: 'stream', cursor: '3-7' });
    expect(parseEventId('stream.')).toEqual({ streamId: 'stream', cursor: '' });
  });

  it('keeps the dots of a cursor', () => {
    expect(parseEventId('stream.1.2')).toEqual({ streamId: 'stream', cursor: '1.2' });
  });

  it.each(['', 'stream', '.1'])('is not "%s"', (id) => {
    expect(parseEventId(id)).toBeUndefined();
  });

  it('of a change names connection and position', () => {
    const parsed = parseEventId(changeEventId('connection', '1-2'));

    expect(parsed?.streamId).toBe('changes');
    expect(changeCursorOf(parsed?.cursor ?? '')).toBe('1-2');
  });
});
