/**
 * Whether the JSON of a text nests deeper than so many levels. What has no more brackets than that cannot, which is
 * true of nearly all messages and quickly seen.
 */
export function nestsDeeperThan(max: number, text: string): boolean {
  const braces = countUpTo(max, text, '{');
  return braces + countUpTo(max - braces, text, '[') > max && nestingDepth(text) > max;
}

/** How often a character comes; one more than `max` if it comes more often. */
function countUpTo(max: number, text: string, character: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0 && count <= max; at = text.indexOf(character, at + 1)) count += 1;
  return count;
}

/**
 * How deep the JSON of a text nests, without parsing it. Brackets inside strings do not count; text that is not JSON
 * yields some number and fails in the parser.
 */
export function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === BACKSLASH) index++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) deepest = Math.max(deepest, ++depth);
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth--;
  }
  return deepest;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
