import * as sdk from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import * as keys from './meta-keys.js';

it('the keys of _meta are those of the SDK', () => {
  expect(Object.keys(keys)).toHaveLength(6);
  expect(sdk).toMatchObject(keys);
});
