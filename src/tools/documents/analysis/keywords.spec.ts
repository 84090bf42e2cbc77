import { expect, it } from 'vitest';
import { topKeywords } from './keywords.js';
import { countWords, wordsOf } from './words.js';

it('topKeywords leaves out function words, numbers and short words', () => {
  const counts = countWords(
    wordsOf('The server of the cluster is up: 2026 the server is ok, 1-2-3, a node and a cluster.'),
  );
  expect(topKeywords(counts, 'en', 10)).toEqual([
    { word: 'cluster', count: 2 },
    { word: 'server', count: 2 },
    { word: 'node', count: 1 },
  ]);
  expect(topKeywords(counts, 'en', 1)).toEqual([{ word: 'cluster', count: 2 }]);
});
