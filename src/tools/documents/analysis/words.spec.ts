import { describe, expect, it } from 'vitest';
import { countParagraphs, countSentences, countWords, wordsOf } from './words.js';

describe('wordsOf', () => {
  it('keeps apostrophes and hyphens inside a word', () => {
    expect(wordsOf("Don't re-read the “Übung” 42 times - please.")).toEqual([
      "don't",
      're-read',
      'the',
      'übung',
      '42',
      'times',
      'please',
    ]);
  });

  it('finds none in punctuation', () => expect(wordsOf(' … --- !? ')).toEqual([]));

  it('is quick for the longest text that is accepted, whatever it holds', () => {
    const started = performance.now();
    for (const unit of ['word ', 'a-', '.', "'", '我', '\n \n']) {
      const text = unit.repeat(200_000 / unit.length);
      wordsOf(text);
      countSentences(text);
      countParagraphs(text);
    }
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

describe('countSentences', () => {
  it.each([
    ['One. Two! Three?', 3],
    ['He said "stop." Then he left.', 2],
    ['Version 2.5 costs 3.50 euros.', 1],
    ['今天好。明天也好。', 2],
    ['a title without punctuation', 1],
  ])('%s', (text, sentences) => expect(countSentences(text)).toBe(sentences));
});

it('countParagraphs counts blocks between empty lines', () => {
  expect(countParagraphs('one\nstill one\n\ntwo\n \n\n\nthree\n')).toBe(3);
});

it('countWords counts', () => {
  expect([...countWords(['a', 'b', 'a'])]).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
});
