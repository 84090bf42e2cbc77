import { type Language, isStopWord } from './language.js';

export interface KeywordCount {
  readonly word: string;
  readonly count: number;
}

const MIN_LENGTH = 3;
const NUMBER = /^[\p{N}'’-]+$/u;

/** The most frequent words that carry meaning, the most frequent first, then by alphabet. */
export function topKeywords(counts: ReadonlyMap<string, number>, language: Language, limit: number): KeywordCount[] {
  return [...counts]
    .filter(([word]) => word.length >= MIN_LENGTH && !NUMBER.test(word) && !isStopWord(word, language))
    .sort(([wordA, countA], [wordB, countB]) => countB - countA || (wordA < wordB ? -1 : 1))
    .slice(0, limit)
    .map(([word, count]) => ({ word, count }));
}
