import type { PairsPart, UriTemplatePart, ValuePart } from './uri-template-part.js';
import { PAIRS_SEPARATOR } from './uri-template-part.js';

export type UriTemplateValues = Readonly<Record<string, string | undefined>>;

/** @throws TypeError when a required value is missing or empty */
export function expandParts(parts: readonly UriTemplatePart[], values: UriTemplateValues): string {
  return parts.map((part) => expandPart(part, values)).join('');
}

function expandPart(part: UriTemplatePart, values: UriTemplateValues): string {
  switch (part.kind) {
    case 'literal':
      return part.text;
    case 'value':
      return expandValue(part, valueOf(values, part.name));
    case 'pairs':
      return expandPairs(part, values);
    case 'fragment': {
      const value = valueOf(values, part.name);
      return value === undefined ? '' : `#${encodeReserved(value)}`;
    }
  }
}

function expandValue({ name, reach, until }: ValuePart, value: string | undefined): string {
  if (!value) throw new TypeError(`The URI needs a value for {${name}} that is not empty.`);
  if (reach === 'uri') return encodeReserved(value);
  if (reach === 'path') return value.split('/').map(encodeUnreserved).join('/');
  const encoded = encodeUnreserved(value);
  // The value must not end too early; "%2D" means "-" (RFC 3986, section 2.3) but is not taken for it.
  return until === undefined ? encoded : encoded.replace(/%..|./g, (one) => (one === until[0] ? percent(one) : one));
}

function expandPairs({ prefix, names }: PairsPart, values: UriTemplateValues): string {
  const pairs = names.flatMap((name) => {
    const value = valueOf(values, name);
    if (value === undefined) return [];
    // RFC 6570, section 3.2.7: an empty value of ";" has no "=".
    return prefix === ';' && value === '' ? [name] : [`${name}=${encodeUnreserved(value)}`];
  });
  return pairs.length === 0 ? '' : prefix + pairs.join(PAIRS_SEPARATOR[prefix]);
}

/** Own properties only: a variable may be called `constructor`. */
function valueOf(values: UriTemplateValues, name: string): string | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

/** RFC 6570, section 3.2.1 with only unreserved characters left as they are. */
function encodeUnreserved(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*]/g, percent);
}

/** RFC 6570, section 3.2.1 with reserved characters left as they are too; `encodeURI` predates the brackets. */
function encodeReserved(value: string): string {
  return encodeURI(value).replaceAll('%5B', '[').replaceAll('%5D', ']');
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
