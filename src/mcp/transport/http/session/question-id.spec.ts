import { expect, it } from 'vitest';
import { fitsQuestion, newQuestionId } from './question-id.js';

it.each([
  ['elicitation/create', { action: 'accept', content: { ok: true } }, true],
  ['elicitation/create', { action: 'accept' }, true],
  ['elicitation/create', { action: 'decline' }, true],
  ['elicitation/create', { action: 'maybe' }, false],
  ['elicitation/create', {}, false],
  ['elicitation/create', { action: 'accept', content: 'yes' }, false],
  ['sampling/createMessage', { role: 'assistant', model: 'm', content: { type: 'text', text: 'x' } }, true],
  ['sampling/createMessage', { role: 'assistant', model: 'm', content: [] }, true],
  ['sampling/createMessage', { role: 'assistant', content: { type: 'text', text: 'x' } }, false],
  ['sampling/createMessage', { role: 'assistant', model: 'm', content: null }, false],
  ['roots/list', { roots: [] }, true],
  ['roots/list', { roots: [{ uri: 'file:///a' }] }, true],
  ['roots/list', { roots: ['file:///a'] }, false],
  ['roots/list', {}, false],
  ['something/else', {}, true],
])('the answer to %s with %j: %j', (method, result, fits) => {
  expect(fitsQuestion(newQuestionId(method), { result })).toBe(fits);
});

it('is an error, to whatever question', () => {
  const error = { code: -1, message: 'no' };
  expect(fitsQuestion(newQuestionId('elicitation/create'), { error })).toBe(true);
});

it('is to one question only', () => {
  expect(newQuestionId('roots/list')).not.toBe(newQuestionId('roots/list'));
});
