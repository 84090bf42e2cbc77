/** Says what is wrong with a pair, without its value, or nothing. */
type Judge = (key: string, value: string) => string | undefined;

const anything: Judge = () => undefined;

/**
 * Reads `key=value,key=value`, percent-encoded, as the OpenTelemetry variables are written (W3C Baggage).
 * @param name of the variable; values are not repeated in errors, since they may be secret
 * @param judge default: any pair will do
 * @throws Error when it is written otherwise
 */
export function keyValuePairs(name: string, text = '', judge: Judge = anything): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const [index, entry] of text.split(',').entries()) {
    if (entry.trim() === '') continue;
    const [key, value] = pairOf(entry) ?? [];
    if (key === undefined || value === undefined) {
      throw new Error(
        `${name}: entry ${index + 1} is not like key=value. Write "," "=" and "%" in it as %2C, %3D, %25.`,
      );
    }
    const problem = judge(key, value);
    if (problem !== undefined) throw new Error(`${name}: entry ${index + 1} ${problem}`);
    pairs[key] = value;
  }
  return pairs;
}

function pairOf(entry: string): [key: string, value: string] | undefined {
  const at = entry.indexOf('=');
  if (at < 1) return undefined;
  try {
    const key = decodeURIComponent(entry.slice(0, at).trim());
    return key === '' ? undefined : [key, decodeURIComponent(entry.slice(at + 1).trim())];
  } catch {
    return undefined;
  }
}
