import { describe, expect, it, vi } from 'vitest';
import type { AppendedEvent, EventRead } from '../../../session/event-log.port.js';
import type { SessionRecord } from '../../../session/session-record.js';
import type { SseResponse } from '../sse-response.js';
import { EventPump } from './event-pump.js';

const RECORD = { id: 's1', revision: '2025-11-25' } as SessionRecord;
const event = (cursor: string, after: string, last = false): AppendedEvent => ({ cursor, data: cursor, last, after });

/** A pump over a log whose reads are answered by the test, and a connection that says what it was sent. */
function fixture() {
  const sent: string[] = [];
  const sse = {
    closed: false,
    needsDrain: false,
    drained: () => Promise.resolve(),
    onClose: () => undefined,
    send: ({ id }: { id: string }) => void sent.push(id),
    end: () => void sent.push('end'),
  };
  const read = vi.fn<(...args: unknown[]) => EventRead>(() => ({ status: 'ok', events: [] }));
  const services = { events: { read, attach: () => ({ detach: () => undefined }) }, options: {}, telemetry: {} };
  const start = { record: RECORD, streamId: 'a', after: '' };
  const pump = new EventPump(services as never, sse as unknown as SseResponse, start, () => undefined);
  return { sent, sse, read, pump };
}

describe('EventPump', () => {
  it('sends what it is handed at once, and reads nothing', () => {
    const { sent, read, pump } = fixture();
    void pump.start();
    pump.wake(event('1', ''));
    pump.wake(event('2', '1', true));
    expect(sent).toEqual(['a.1', 'a.2', 'end']);
    expect(read).not.toHaveBeenCalled();
  });

  it('reads what it has missed instead', async () => {
    const { sent, read, pump } = fixture();
    read.mockReturnValueOnce({ status: 'ok', events: [event('1', ''), event('2', '1')] });
    pump.wake(event('2', '1'));
    await pump.caughtUp();
    expect(sent).toEqual(['a.1', 'a.2']);
  });

  it('takes nothing out of turn while it reads', async () => {
    const { sent, read, pump } = fixture();
    read.mockReturnValueOnce({ status: 'ok', events: [event('1', '')] });
    pump.wake();
    pump.wake(event('1', ''));
    await pump.caughtUp();
    expect(sent).toEqual(['a.1']);
  });

  it('reads when the reader has caught up, if it is slow', async () => {
    const { sent, sse, read, pump } = fixture();
    sse.needsDrain = true;
    read.mockReturnValueOnce({ status: 'ok', events: [event('1', '')] });
    pump.wake(event('1', ''));
    expect(sent).toEqual([]);
    await pump.caughtUp();
    expect(sent).toEqual(['a.1']);
  });

  it('sends nothing once it was stopped, or its connection is gone', () => {
    const { sent, sse, pump } = fixture();
    sse.closed = true;
    pump.wake(event('1', ''));
    sse.closed = false;
    pump.stop();
    pump.wake(event('1', ''));
    expect(sent).toEqual([]);
  });
});
