import { describe, expect, it } from 'vitest';
import { fleschReadingEase, lix, readabilityOf, syllablesOf } from './readability.js';
import { wordsOf } from './words.js';

describe('syllablesOf', () => {
  it.each([
    ['cat', 1],
    ['table', 1],
    ['make', 1],
    ['reading', 2],
    ['responsibility', 6],
    ['rhythm', 1],
    ['tv', 1],
    ['2026', 1],
  ])('%s has %i', (word, syllables) => expect(syllablesOf(word)).toBe(syllables));
});

describe('readabilityOf', () => {
  it('calculates the Flesch reading ease', () => {
    // 6 words, 1 sentence, 6 syllables: 206.835 − 6.09 − 84.6
    expect(fleschReadingEase(wordsOf('The cat sat on the mat.'), 1)).toBe(116.1);
  });

  it('calculates LIX', () => {
    // 4 words in 2 sentences, one of them long: 2 + 25
    expect(lix(wordsOf('Das ist gut. Wunderbar!'), 2)).toBe(27);
  });

  it('uses Flesch for English and LIX for other languages', () => {
    expect(readabilityOf(wordsOf('The cat sat on the mat.'), 1, 'en')).toEqual({
      formula: 'Flesch reading ease',
      score: 116.1,
      level: 'very easy',
    });
    expect(
      readabilityOf(wordsOf('Rechtsschutzversicherungsgesellschaften verweigern Deckungszusagen.'), 1, 'de'),
    ).toEqual({
      formula: 'LIX',
      score: 103,
      level: 'very hard',
    });
  });

  it('says nothing about a language it does not know', () => {
    expect(readabilityOf(['lorem', 'ipsum'], 1, 'unknown')).toBeUndefined();
  });
});
