import {
  PAIRS_SEPARATOR,
  PAIRS_STOPS,
  VALUE_STOPS,
  type PairsPart,
  type UriTemplatePart,
  type ValuePart,
} from './uri-template-part.js';

/**
 * Reads one URI by the parts of a template, from left to right, with no second try: each part finds its end by looking
 * at each character a fixed number of times, or, for text that is searched, once for each character of that text. So
 * the work is bounded by the length of the URI times the length of the template.
 */
export class UriTemplateScanner {
  /** Characters looked at so far, the measure of the bound above. */
  steps = 0;
  readonly #values = new Map<string, string>();
  #at = 0;

  constructor(private readonly uri: string) {}

  /** @returns the decoded values, or undefined when the URI is not one of the template */
  scan(parts: readonly UriTemplatePart[]): Record<string, string> | undefined {
    const matched = parts.every((part) => this.#part(part)) && this.#at === this.uri.length;
    return matched ? Object.fromEntries(this.#values) : undefined;
  }

  #part(part: UriTemplatePart): boolean {
    switch (part.kind) {
      case 'literal':
        return this.#literal(part.text);
      case 'value':
        return this.#value(part);
      case 'pairs':
        return this.#pairs(part);
      case 'fragment':
        return this.uri[this.#at] !== '#' || this.#take(part.name, this.#at + 1, this.#endOfRun(this.#at + 1, ''));
    }
  }

  #literal(text: string): boolean {
    if (!this.#has(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #value({ name, reach, until, tail }: ValuePart): boolean {
    const run = this.#endOfRun(this.#at, VALUE_STOPS[reach]);
    const end = until === undefined ? run - tail : this.#find(until, this.#at, run);
    return end > this.#at && this.#take(name, this.#at, end);
  }

  #pairs({ prefix, names }: PairsPart): boolean {
    const separator = PAIRS_SEPARATOR[prefix];
    const stops = separator + PAIRS_STOPS[prefix];
    for (let mark = prefix as string; this.uri[this.#at] === mark; mark = separator) {
      const start = this.#at + 1;
      const nameEnd = this.#endOfRun(start, `=${stops}`);
      const end = this.#endOfRun(nameEnd, stops);
      const name = this.uri.slice(start, nameEnd);
      if (!names.includes(name) || this.#values.has(name)) return false;
      // Without "=" the value is empty (RFC 6570, section 3.2.7).
      if (!this.#take(name, Math.min(nameEnd + 1, end), end)) return false;
    }
    return true;
  }

  /** Keeps the decoded text as a value and goes on after it. */
  #take(name: string, start: number, end: number): boolean {
    this.steps += end - start;
    this.#at = end;
    try {
      this.#values.set(name, decodeURIComponent(this.uri.slice(start, end)));
      return true;
    } catch {
      // A stray "%", or bytes that are not UTF-8.
      return false;
    }
  }

  /** The first place at or after `from` that holds one of the stops, white space or a control character. */
  #endOfRun(from: number, stops: string): number {
    let at = from;
    while (at < this.uri.length && isPrintable(this.uri.charCodeAt(at)) && !stops.includes(this.uri.charAt(at))) {
      at += 1;
    }
    this.steps += at - from + 1;
    return at;
  }

  /** The first place after `from` where the text stands whole before `end`, or -1; a `%XX` is never split. */
  #find(text: string, from: number, end: number): number {
    const after = (at: number): number => at + (this.uri[at] === '%' ? 3 : 1);
    for (let at = after(from); at + text.length <= end; at = after(at)) {
      if (this.#has(text, at)) return at;
    }
    return -1;
  }

  #has(text: string, at: number): boolean {
    this.steps += text.length;
    return this.uri.startsWith(text, at);
  }
}

function isPrintable(code: number): boolean {
  return code > 0x20 && code !== 0x7f;
}
