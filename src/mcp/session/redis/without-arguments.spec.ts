import { expect, it } from 'vitest';
import { withoutArguments } from './without-arguments.js';

it('takes the command off an error, and off the one of a node within it', () => {
  const command = { name: 'auth', args: ['secret'] };
  const lastNodeError = Object.assign(new Error('WRONGPASS'), { command });
  const error = Object.assign(new Error('all nodes failed'), { command, lastNodeError });

  expect(withoutArguments(error)).toBe(error);
  expect(error).not.toHaveProperty('command');
  expect(lastNodeError).not.toHaveProperty('command');
});

it('leaves alone what is no error', () => {
  expect(withoutArguments('away')).toBe('away');
  expect(withoutArguments(undefined)).toBeUndefined();
});
