import { describe, expect, it } from 'vitest';
import { accepts, requireAccept } from './accept.js';

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

it('requireAccept wants all of the types, and says which', () => {
  expect(() => requireAccept('application/json', 'application/json', 'text/event-stream')).toThrow(
    expect.objectContaining({
      reason: 'NOT_ACCEPTABLE',
      status: 406,
      message: expect.stringContaining('application/json and text/event-stream'),
    }),
  );
  expect(() => requireAccept('application/json, text/*', 'application/json', 'text/event-stream')).not.toThrow();
});
