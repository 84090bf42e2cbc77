import { expect, it } from 'vitest';
import { formatPlaceQuery, parsePlaceQuery } from './place-query.js';

it.each([
  ['Vienna', { name: 'Vienna' }],
  [' Vienna , at ', { name: 'Vienna', countryCode: 'AT' }],
  ['Washington, D.C.', { name: 'Washington, D.C.' }],
  ['Portland, Oregon', { name: 'Portland, Oregon' }],
])('parsePlaceQuery reads "%s"', (text, query) => expect(parsePlaceQuery(text)).toEqual(query));

it.each(['Vienna', 'Springfield, US'])('formatPlaceQuery writes "%s" as it was read', (text) => {
  expect(formatPlaceQuery(parsePlaceQuery(text))).toBe(text);
});
