/** Up to here, looking at each character costs less than the encoder that is asked otherwise. */
const MAX_SHORT = 128;
const [FIRST_PRINTABLE, LAST_PRINTABLE, QUOTE, BACKSLASH] = [0x20, 0x7e, 0x22, 0x5c];

/** A text as JSON, as `JSON.stringify` writes it. Most are short, and need nothing but the quotes. */
export function quoted(text: string): string {
  return isPlain(text) ? `"${text}"` : JSON.stringify(text);
}

function isPlain(text: string): boolean {
  if (text.length > MAX_SHORT) return false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < FIRST_PRINTABLE || code > LAST_PRINTABLE || code === QUOTE || code === BACKSLASH) return false;
  }
  return true;
}
