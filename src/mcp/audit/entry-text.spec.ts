import { expect, it } from 'vitest';
import { type AuditEntryBody, NO_ENTRY_HASH } from './audit-entry.js';
import { describeOperation } from './describe-operation.js';
import { CALL } from '../../../test/support/audit/audit-events.js';
import { entryText } from './entry-text.js';
import { parseEntry } from './parse-entry.js';

const FIELDS = { 10: 'ten', 2: 'two', b: null, a: 'Straße "x"\u2028\ud800', ['__proto__']: true };
const BOUNDS = { checkpointEvery: 1_000, checkpointMs: 60_000 };
const BODIES: readonly AuditEntryBody[] = [
  { type: 'start', publicKey: 'p', keyId: 'k', ...BOUNDS },
  { ...describeOperation(CALL), count: 3 },
  { ...describeOperation(CALL), fields: Object.fromEntries(Object.entries(FIELDS)) },
  { type: 'gap', lost: 7 },
  { type: 'end', count: 2, keyId: 'k', ...BOUNDS },
];

it.each(BODIES)('writes what the verifier finds intact: %j', (body) => {
  const place = { v: 1, chain: 'c', seq: 4, at: '2026-11-21T09:08:07.006Z', replica: 'r"1' };
  const { line, hash } = entryText({ ...body, ...place, prev: NO_ENTRY_HASH });
  const isSigned = body.type === 'start' || body.type === 'end';
  const text = isSigned ? `${line.slice(0, -1)},"signature":"s"}` : line;

  expect(parseEntry(text)).toMatchObject({ intact: true, hash, seq: 4 });
  // Nothing is left out, for want of a place in the order.
  const { hash: _hash, ...written } = JSON.parse(line) as Record<string, unknown>;
  expect(written).toEqual(JSON.parse(JSON.stringify({ ...body, ...place, prev: NO_ENTRY_HASH })));
});
