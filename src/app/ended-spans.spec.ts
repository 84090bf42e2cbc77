import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { describe, expect, it, vi } from 'vitest';
import { EndedSpans } from './ended-spans.js';
import { LostSpans } from './lost-spans.js';

const span = (traceFlags: number) => ({ spanContext: () => ({ traceFlags }) }) as ReadableSpan;

function endedSpans(count = 0) {
  const warn = vi.fn();
  const ended = new EndedSpans(new LostSpans({ warn }, 'collector:4318'));
  for (let n = 0; n < count; n += 1) ended.add(span(1));
  return { ended, said: () => warn.mock.calls.map(([line]) => String(line)) };
}

describe('spans that have ended', () => {
  it('are outstanding until they are sent, have failed or were dropped, if they are sampled', () => {
    const { ended } = endedSpans(20);
    ended.add(span(0));

    ended.sent(2);
    ended.failed(3, 'ECONNREFUSED');
    ended.diagnostics.warn('Dropped 5 spans because maxQueueSize reached');

    expect(ended.end()).toBe(10);
  });

  it('are told of to the end, and not twice', () => {
    const { ended, said } = endedSpans(9);
    ended.failed(1, 'ECONNREFUSED');
    ended.failed(2, 'ECONNRESET');

    ended.end();
    ended.failed(6, 'ECONNRESET');

    expect(said()).toEqual([
      '1 spans could not be sent to collector:4318: ECONNREFUSED. Requests are served all the same.',
      '2 spans could not be sent to collector:4318: ECONNRESET. Requests are served all the same.',
    ]);
  });
});

describe('what the SDK has to say', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;

  it.each([
    [
      ['Received Partial Success response:', '{"rejectedSpans":3}'],
      'OpenTelemetry: Received Partial Success response: {"rejectedSpans":3}',
    ],
    [['old has "%s", new has "%s".', 'a', 'b'], 'OpenTelemetry: old has "a", new has "b".'],
    [['Failed', new TypeError('so')], 'OpenTelemetry: Failed TypeError: so'],
    [['Times', [1, 2], undefined], 'OpenTelemetry: Times [1,2] '],
    [['Headers', { authorization: 'SECRET' }], 'OpenTelemetry: Headers {"authorization":[redacted]'],
    [['Sent', 'Bearer SECRET12345'], 'OpenTelemetry: Sent Bearer [redacted]'],
    [['Cycle', cyclic], 'OpenTelemetry: Cycle {"self":"[seen]"}'],
    [['Lines\n2', 'a\r\nb'], 'OpenTelemetry: Lines 2 a\\u000d b'],
  ])('%j is one line with its details, and no secret', ([message, ...details], line) => {
    const { ended, said } = endedSpans();

    ended.diagnostics.error(message as string, ...details);

    expect(said()).toEqual([line]);
  });

  it('is cut short', () => {
    const { ended, said } = endedSpans();

    ended.diagnostics.warn('Long', 'a'.repeat(1_000), 'b', 'c', 'd');

    expect(said()).toEqual([`OpenTelemetry: Long ${'a'.repeat(150)}… [850 characters cut] b c`]);
  });
});
