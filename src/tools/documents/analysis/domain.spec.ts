import { describe, expect, it } from 'vitest';
import { clearDomain, scoreDomains } from './domain.js';
import { countWords, wordsOf } from './words.js';

const scores = (text: string) => scoreDomains(countWords(wordsOf(text)));

describe('scoreDomains', () => {
  it('names its evidence', () => {
    expect(
      scores('The contract: a breach of the contract ends the contract, and the contract ends the lease.'),
    ).toEqual([{ domain: 'legal', score: 4, terms: ['contract', 'breach'] }]);
  });

  it('takes many different terms for more than one that is repeated', () => {
    const [best] = scores('server server server server. The patient has a chronic disease and needs surgery.');
    expect(best).toEqual({ domain: 'medical', score: 4, terms: ['patient', 'disease', 'chronic', 'surgery'] });
  });

  it('finds nothing in a text of everyday life', () =>
    expect(scores('We went to the beach and ate ice cream.')).toEqual([]));
});

describe('clearDomain', () => {
  it.each([
    ['legal', 'The plaintiff and the defendant agreed to arbitration under this clause.'],
    ['financial', 'Revenue and profit rose in the fiscal quarter, and so did the dividend.'],
    ['technical', 'The API server lost its database: latency rose during the deployment.'],
    [undefined, 'The server answered.'],
    [undefined, 'The hospital patient sued over a breach of contract: the diagnosis and the court.'],
    [undefined, ''],
  ])('%s: %s', (domain, text) => expect(clearDomain(scores(text))).toBe(domain));
});
