import type { Language } from './language.js';

export const READABILITY_FORMULAS = ['Flesch reading ease', 'LIX'] as const;
export const READABILITY_LEVELS = ['very easy', 'easy', 'medium', 'hard', 'very hard'] as const;

export interface ReadabilityScore {
  readonly formula: (typeof READABILITY_FORMULAS)[number];
  readonly score: number;
  readonly level: (typeof READABILITY_LEVELS)[number];
}

/** Letters from which LIX takes a word for a long one. */
const LONG_WORD = 7;

/**
 * Flesch reading ease for English, LIX for the other languages that were recognised; undefined for an unknown one,
 * where neither formula means anything.
 */
export function readabilityOf(
  words: readonly string[],
  sentences: number,
  language: Language,
): ReadabilityScore | undefined {
  if (language === 'unknown') return undefined;
  if (language === 'en') {
    const score = fleschReadingEase(words, sentences);
    return { formula: 'Flesch reading ease', score, level: levelOf([80, 70, 60, 30], (limit) => score >= limit) };
  }
  const score = lix(words, sentences);
  return { formula: 'LIX', score, level: levelOf([30, 40, 50, 60], (limit) => score < limit) };
}

/** R. Flesch, 1948: 206.835 − 1.015 · words per sentence − 84.6 · syllables per word. Higher is easier. */
export function fleschReadingEase(words: readonly string[], sentences: number): number {
  const syllables = words.reduce((sum, word) => sum + syllablesOf(word), 0);
  return round(206.835 - 1.015 * (words.length / sentences) - 84.6 * (syllables / words.length));
}

/** C.-H. Björnsson, 1968: words per sentence + percentage of words with more than six letters. Lower is easier. */
export function lix(words: readonly string[], sentences: number): number {
  const long = words.filter((word) => word.length >= LONG_WORD).length;
  return round(words.length / sentences + (100 * long) / words.length);
}

/** Syllables of an English word, estimated: groups of vowels, less a silent e at the end; at least one. */
export function syllablesOf(word: string): number {
  const groups = word.replace(/[^aeiouy]e$/u, '').match(/[aeiouy]+/gu)?.length ?? 0;
  return Math.max(1, groups);
}

function levelOf(limits: readonly number[], isWithin: (limit: number) => boolean): ReadabilityScore['level'] {
  const index = limits.findIndex(isWithin);
  return READABILITY_LEVELS[index === -1 ? limits.length : index] ?? 'very hard';
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
