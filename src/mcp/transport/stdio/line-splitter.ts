const NEWLINE = 0x0a;
const EMPTY = Buffer.alloc(0);

/**
 * Cuts a byte stream into lines. Lines are cut as bytes, so that a character may be split across chunks; of a line
 * that is too long nothing is kept, and the rest of it is skipped up to its newline.
 */
export class LineSplitter {
  private held = EMPTY;
  private length = 0;
  private skipping = false;

  /**
   * @param maxBytes bytes a line may have, its newline not counted
   * @param onLine takes a line without its newline; its bytes are valid during the call only
   * @param onOverlong hears of a line that is too long, once, as soon as it is
   */
  constructor(
    private readonly maxBytes: number,
    private readonly onLine: (line: Buffer) => void,
    private readonly onOverlong: () => void,
  ) {}

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.finish(chunk.subarray(start, end));
      start = end + 1;
    }
    this.hold(chunk.subarray(start));
  }

  private finish(tail: Buffer): void {
    // A line that came in one piece need not be copied.
    const whole = this.length === 0 && tail.length <= this.maxBytes;
    if (!whole) this.hold(tail);
    const line = whole ? tail : this.held.subarray(0, this.length);
    const skipped = this.skipping;
    this.reset();
    if (!skipped) this.onLine(line);
  }

  private hold(piece: Buffer): void {
    if (this.skipping || piece.length === 0) return;
    const length = this.length + piece.length;
    if (length > this.maxBytes) {
      this.reset();
      this.skipping = true;
      this.onOverlong();
      return;
    }
    if (length > this.held.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.held.length * 2));
      this.held.copy(grown, 0, 0, this.length);
      this.held = grown;
    }
    piece.copy(this.held, this.length);
    this.length = length;
  }

  private reset(): void {
    this.held = EMPTY;
    this.length = 0;
    this.skipping = false;
  }
}
