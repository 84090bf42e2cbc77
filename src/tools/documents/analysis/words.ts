/**
 * Words are runs of letters and digits, joined by apostrophes and hyphens. Languages that are written without spaces
 * (Chinese, Japanese, Thai) are not split further.
 *
 * A regular expression and not Intl.Segmenter: its time grows with the square of the text's length, to many seconds
 * for 200,000 characters.
 */
const WORD = /[\p{L}\p{M}\p{N}]+(?:['’-][\p{L}\p{M}\p{N}]+)*/gu;
/** The end of a sentence is punctuation before a space or at the end; abbreviations are counted as ends too. */
const SENTENCE_END = /(?:[.!?…]["'”’)\]]?(?=\s|$)|[。！？])/gu;
const PARAGRAPH_BREAK = /\n[^\S\n]*\n/u;

/** All words, in order and in lower case. */
export function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

/** Number of sentences; a text without any punctuation is one. */
export function countSentences(text: string): number {
  return Math.max(1, text.match(SENTENCE_END)?.length ?? 0);
}

export function countParagraphs(text: string): number {
  return text.split(PARAGRAPH_BREAK).filter((paragraph) => paragraph.trim() !== '').length;
}

/** How often each word occurs. */
export function countWords(words: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
