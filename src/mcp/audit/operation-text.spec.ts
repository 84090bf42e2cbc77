import { describe, expect, it } from 'vitest';
import { CALL } from '../../../test/support/audit/audit-events.js';
import { NO_ENTRY_HASH, type OperationEntry } from './audit-entry.js';
import type { AuditEvent } from './audit-event.js';
import { describeOperation } from './describe-operation.js';
import { entryText } from './entry-text.js';
import { operationText } from './operation-text.js';
import { parseEntry } from './parse-entry.js';

const PLACE = { chain: 'c1', seq: 4, at: '2026-11-21T09:08:07.006Z', replica: 'r"1', prev: NO_ENTRY_HASH };
const BARE: AuditEvent = { method: 'x"y', decision: 'deny', rule: 'a\\b', outcome: 'refused', latencyMs: Number.NaN };
const ENTRIES: readonly OperationEntry[] = [
  describeOperation(CALL),
  describeOperation(CALL, Buffer.alloc(32, 1)),
  describeOperation({
    ...CALL,
    fields: { b: null, 10: 'ten', a: 'Straße "x"\u2028\ud800', 2: -0.5, ['__proto__']: true },
  }),
  describeOperation({ ...CALL, code: -32_602, primitive: { kind: 'resource', name: 'a://"\n' } }),
  describeOperation({ ...CALL, arguments: { at: 1n }, traceId: '"' }),
  describeOperation({ ...BARE, count: 3 }),
];

describe.each(ENTRIES)('%j', (entry) => {
  const text = operationText(entry, {
    ...PLACE,
    chain: JSON.stringify(PLACE.chain),
    replica: JSON.stringify(PLACE.replica),
  });

  it('is written as any other entry is', () => {
    expect(text).toEqual(entryText({ ...entry, v: 1, ...PLACE }));
  });

  it('is found intact, and leaves nothing out', () => {
    expect(parseEntry(text.line)).toMatchObject({ intact: true, hash: text.hash, seq: 4 });
    const { hash: _hash, ...written } = JSON.parse(text.line) as Record<string, unknown>;
    expect(written).toEqual(JSON.parse(JSON.stringify({ ...entry, v: 1, ...PLACE })));
  });
});
