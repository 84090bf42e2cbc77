import { describe, expect, it } from 'vitest';
import { boundIssues, describeIssues, formatPath } from './issues.js';

describe('issues', () => {
  it('are described as a list', () => {
    const issues = [
      { path: 'amountCents', message: 'must not be less than 1' },
      { path: '', message: 'must be object' },
    ];
    expect(describeIssues(issues)).toBe('Invalid arguments:\n- amountCents: must not be less than 1\n- must be object');
  });

  it('show indexes in brackets', () => {
    expect(formatPath(['items', 0, 'sku'])).toBe('items[0].sku');
    expect(formatPath([0, 1])).toBe('[0][1]');
    expect(formatPath([])).toBe('');
  });

  it('are at most twenty, of three hundred characters each, path included', () => {
    const [first, ...rest] = boundIssues(
      Array.from({ length: 30 }, () => ({ path: 'p'.repeat(1_000), message: '€'.repeat(1_000) })),
    );
    expect(rest).toHaveLength(19);
    expect(first).toEqual({ path: `${'p'.repeat(149)}…`, message: `${'€'.repeat(149)}…` });
  });

  it('are never cut within a character', () => {
    expect(boundIssues([{ path: '', message: '😀'.repeat(400) }])[0]?.message).toBe(`${'😀'.repeat(299)}…`);
  });
});
