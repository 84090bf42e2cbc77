import { describe, expect, it } from 'vitest';
import { EXPECTATIONS } from './plan.js';
import { type Check, judge } from './verdict.js';

const success: Check = { id: 'a', status: 'SUCCESS' };

describe('judge', () => {
  it('passes a scenario whose checks all succeed', () => {
    expect(judge([success, { id: 'b', status: 'SUCCESS' }])).toEqual({ problems: [], successes: 2, notes: [] });
  });

  it.each([
    ['no report', undefined, 'the suite did not run it, or reported nothing'],
    ['no check at all', [], 'no check succeeded, so nothing was tested'],
    ['a failure', [success, { id: 'b', status: 'FAILURE', errorMessage: 'why' }], 'b: FAILURE why'],
    ['a warning', [success, { id: 'b', status: 'WARNING', errorMessage: 'why' }], 'b: WARNING why'],
    [
      'a skipped check',
      [success, { id: 'b', status: 'SKIPPED', details: { message: 'why' } }],
      'b: SKIPPED {"message":"why"}',
    ],
    ['information nobody expected', [success, { id: 'b', status: 'INFO', description: 'why' }], 'b: INFO why'],
    ['a success that tested nothing', [{ ...success, errorMessage: 'Not testable: x' }], 'a: SUCCESS Not testable: x'],
  ] as const)('fails a scenario with %s', (_, checks, problem) => {
    expect(judge(checks).problems).toEqual([problem]);
  });

  it('notes information that is expected, and says why it is', () => {
    const verdict = judge([success, { id: 'b', status: 'INFO' }], { unchecked: { b: 'optional' } });

    expect(verdict).toEqual({ problems: [], successes: 1, notes: ['b: optional'] });
  });

  it('does not take a polling scenario that was answered with JSON for a success', () => {
    const checks: Check[] = [
      { id: 'outgoing-request', status: 'INFO' },
      { id: 'server-sse-content-type', status: 'INFO', description: 'JSON' },
    ];

    expect(judge(checks, EXPECTATIONS['server-sse-polling']).problems).toEqual([
      'server-sse-content-type: INFO JSON',
      'server-sse-priming-event: did not succeed, so nothing was tested',
      'server-sse-retry-field: did not succeed, so nothing was tested',
      'server-sse-disconnect-resume: did not succeed, so nothing was tested',
    ]);
  });
});
