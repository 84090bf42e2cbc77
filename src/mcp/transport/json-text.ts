/**
 * Whether the JSON of a text nests deeper than so many levels. What is too short for that, or has no more brackets than
 * that, cannot, which is true of nearly all messages and quickly seen. Text that is not JSON yields something and fails
 * in the parser.
 */
export function nestsDeeperThan(max: number, text: string): boolean {
  return mayNestDeeperThan(max, text) && nestingDepth(text) > max;
}

function mayNestDeeperThan(max: number, text: string): boolean {
  let left = max;
  for (let at = text.indexOf('['); at >= 0 && left >= 0; at = text.indexOf('[', at + 1)) left -= 1;
  for (let at = text.indexOf('{'); at >= 0 && left >= 0; at = text.indexOf('{', at + 1)) {
    if (objectsWithin(text.length - at) <= left) return false;
    left -= 1;
  }
  return left < 0;
}

/** How many objects, each within the one before, so many characters can hold: five for `{"":}`, two for the last. */
function objectsWithin(length: number): number {
  return (length + 3) / 5;
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
