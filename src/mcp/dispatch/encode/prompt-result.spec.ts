import { expect, it } from 'vitest';
import { promptResult } from './prompt-result.js';

const message = { role: 'assistant', content: { type: 'text', text: 'hi' } };

it('takes a text for a message of the user', () => {
  expect(promptResult('hi', undefined, 'X.y')).toEqual({
    messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }],
  });
});

it('takes a message, messages, none, or a full result, whose own description wins', () => {
  expect(promptResult(message, 'D', 'X.y')).toEqual({ description: 'D', messages: [message] });
  expect(promptResult([message, message], 'D', 'X.y')).toEqual({ description: 'D', messages: [message, message] });
  expect(promptResult([], undefined, 'X.y')).toEqual({ messages: [] });
  expect(promptResult({ messages: [message], description: 'own' }, 'D', 'X.y')).toEqual({
    messages: [message],
    description: 'own',
  });
});

it.each([null, undefined, 7, {}, ['hi'], { messages: 'hi' }, { role: 'user' }])(
  'refuses %j, naming the handler',
  (value) => {
    expect(() => promptResult(value, undefined, 'X.y')).toThrow(/^X\.y must return/);
  },
);
