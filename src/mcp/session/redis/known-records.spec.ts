import { expect, it } from 'vitest';
import type { SessionRecord } from '../session-record.js';
import { KnownRecords } from './known-records.js';

const entryOf = (id: string, name = 'client'): { status: 'ok'; record: SessionRecord } => ({
  status: 'ok',
  record: {
    id,
    owner: 'ada',
    revision: '2025-11-25',
    clientInfo: { name, version: '1' },
    clientCapabilities: {},
    logLevel: undefined,
    subscriptions: [],
    seen: '0',
    createdAt: 0,
  },
});

it('keeps what was read last, under its version', () => {
  const known = new KnownRecords();
  known.keep('v1', entryOf('s1'));
  known.keep('v2', entryOf('s1'));
  expect(known.get('s1')?.version).toBe('v2');
});

it('forgets what was not asked for in a long time, and nothing else', () => {
  const known = new KnownRecords();
  known.keep('v1', entryOf('idle'));
  known.keep('v1', entryOf('busy'));
  for (let other = 0; other < 6_000; other += 1) {
    known.keep('v1', entryOf(`s${other}`));
    known.get('busy');
  }
  expect([known.get('idle'), known.get('busy')?.version]).toEqual([undefined, 'v1']);
});

it('does not keep a record that is large because its client wanted it so', () => {
  const known = new KnownRecords();
  const entry = entryOf('s1', 'x'.repeat(5_000));
  expect(known.keep('v1', entry).entry).toBe(entry);
  expect(known.get('s1')).toBeUndefined();
});
