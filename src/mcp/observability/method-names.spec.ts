import { describe, expect, it } from 'vitest';
import { HANDLER_METHODS } from '../dispatch/dispatcher.js';
import { LIST_METHODS } from '../dispatch/methods/lists.js';
import { SESSION_METHODS } from '../transport/session-methods.js';
import { REQUEST_METHODS, shownMethod } from './method-names.js';

describe('the methods that are shown by their names', () => {
  it('are those that the server implements', () => {
    const ofTheStatelessEra = ['server/discover', 'subscriptions/listen'];
    const implemented = [
      ...HANDLER_METHODS.keys(),
      ...LIST_METHODS.keys(),
      ...SESSION_METHODS.keys(),
      ...ofTheStatelessEra,
    ];

    expect([...REQUEST_METHODS].sort()).toEqual(implemented.sort());
  });

  it('are not what callers make up', () => {
    expect(['tools/call', 'POST', 'response', 'tools/steal'].map(shownMethod)).toEqual([
      'tools/call',
      'POST',
      'response',
      '_other',
    ]);
  });
});
