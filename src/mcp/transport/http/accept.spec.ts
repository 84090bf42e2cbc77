import { describe, expect, it } from 'vitest';
import { AcceptCheck, accepts } from './accept.js';

describe('accepts', () => {
  it.each([
    undefined,
    '*/*',
    'application/*',
    'application/json',
    'APPLICATION/JSON',
    'text/html, application/json;q=0.1',
    ' application/json ; charset=utf-8',
    'application/json;q=0.001',
  ])('admits JSON by %s', (header) => {
    expect(accepts(header, 'application/json')).toBe(true);
  });

  it.each([
    '',
    'text/event-stream',
    'application/json;q=0',
    'application/json; Q=0.000',
    'text/*',
    'application/jsonp',
    'application',
    '*',
  ])('does not admit JSON by "%s"', (header) => {
    expect(accepts(header, 'application/json')).toBe(false);
  });
});

describe('a check', () => {
  const check = new AcceptCheck('application/json', 'text/event-stream');

  it('goes on admitting what was in order, and refusing what was not', () => {
    for (let time = 1; time <= 2; time += 1) {
      expect(() => check.require('application/json, text/*')).not.toThrow();
      expect(() => check.require(undefined)).not.toThrow();
      expect(() => check.require('application/json')).toThrow(
        expect.objectContaining({
          reason: 'NOT_ACCEPTABLE',
          status: 406,
          message: expect.stringContaining('application/json and text/event-stream'),
        }),
      );
    }
  });
});
