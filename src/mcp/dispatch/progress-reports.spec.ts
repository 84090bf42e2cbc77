import { describe, expect, it } from 'vitest';
import { ProgressReports } from './progress-reports.js';

type Next = Parameters<ProgressReports['next']>;

describe('ProgressReports', () => {
  it.each<[unknown, Next, unknown]>([
    [1, [1, undefined, undefined], { progressToken: 1, progress: 1 }],
    ['a "b"\n', [0.5, 20, undefined], { progressToken: 'a "b"\n', progress: 0.5, total: 20 }],
    ['', [-1e21, 1e-7, 'é "x"\u2028'], { progressToken: '', progress: -1e21, total: 1e-7, message: 'é "x"\u2028' }],
    [2, [1, undefined, ''], { progressToken: 2, progress: 1, message: '' }],
    [2, [Infinity, NaN, undefined], { progressToken: 2, progress: null, total: null }],
  ])('writes the params as JSON does: token %j, %j', (token, next, params) => {
    expect(new ProgressReports(token).next(...next)).toBe(JSON.stringify(params));
  });

  it.each([undefined, null, 1.5, true, {}, NaN])('has nothing to tell whose token is %s', (token) => {
    expect(new ProgressReports(token).next(1, undefined, undefined)).toBe(undefined);
  });

  it('tells only of progress that increases', () => {
    const reports = new ProgressReports(1);
    const told = [1, 1, 0, NaN, 2].map((progress) => reports.next(progress, undefined, undefined) !== undefined);
    expect(told).toEqual([true, false, false, false, true]);
  });
});
