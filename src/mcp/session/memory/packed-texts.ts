/** Above this many bytes there is nothing to win, and copying would take a moment. */
const MAX_BYTES = 64 * 1024;

/**
 * Texts that are kept as one. Each collection of garbage looks at every text that is kept, and many small ones cost more
 * than all else there is to keep of a stream.
 */
export class PackedTexts {
  private constructor(
    private readonly text: string,
    /** Where each of them ends. */
    private readonly ends: readonly number[],
  ) {}

  /**
   * @param bytes size of the texts in UTF-8
   * @returns undefined if they are better kept as they are: one character beyond Latin-1 makes a whole text twice as large
   */
  static of(texts: readonly string[], bytes: number): PackedTexts | undefined {
    if (bytes > MAX_BYTES) return undefined;
    let end = 0;
    const ends = texts.map((text) => (end += text.length));
    return end === bytes ? new PackedTexts(texts.join(''), ends) : undefined;
  }

  get length(): number {
    return this.ends.length;
  }

  slice(start: number, end: number): string[] {
    return this.ends.slice(start, end).map((to, n) => this.text.slice(this.ends[start + n - 1] ?? 0, to));
  }
}
