/**
 * URI templates of resources (RFC 6570), matched backwards: from a URI to the values of its variables.
 *
 * | expression | RFC 6570 | matches | value |
 * | --- | --- | --- | --- |
 * | `{x}`, `{x,y}` | 3.2.2 | a run without `/ ? # & , ;`; several are separated by `,` | required, not empty |
 * | `{+x}` | 3.2.3 | everything up to the end, or up to fixed text at the end | required, not empty |
 * | `{.x}`, `{.x,y}` | 3.2.5 | `.` and what `{x}` matches | required, not empty |
 * | `{/x}`, `{/x,y}` | 3.2.6 | `/` and what `{x}` matches | required, not empty |
 * | `{/x*}` | 3.2.6 | `/` and the rest of the path; the value has its segments joined by `/` | required, not empty |
 * | `{;x,y}` | 3.2.7 | `;x=…;y=…` in any order | may be absent or empty |
 * | `{?x,y}` | 3.2.8 | `?x=…&y=…` in any order; other names and repetitions do not match | may be absent or empty |
 * | `{&x,y}` | 3.2.9 | the same after a `?` in fixed text | may be absent or empty |
 * | `{#x}` | 3.2.4 | `#` and everything after it | may be absent or empty |
 *
 * Values are strings, for which explode (`*`) changes nothing (section 2.4.2) except in `{/x*}`. Prefixes (`{x:3}`)
 * are refused, as are the operators reserved by section 2.2.
 *
 * Where does a value end? Section 1.4 leaves that open; here it has one answer, or the template is refused:
 *
 * 1. at the first character it cannot hold (see the table), less the fixed text that stands directly before that;
 * 2. between two variables of one segment, as in `{name}.{ext}`: at the first occurrence of the fixed text. So
 *    `a.tar.gz` is `a` and `tar.gz`. Nothing but a one-segment variable may come before such text;
 * 3. variables that touch (`{a}{b}`), a variable after `{+x}`, a query after `{+x}`, and anything but fixed text, a
 *    query or a fragment after `{/x*}` are refused, since the first would swallow the second.
 *
 * A value is percent-decoded once, by UTF-8. It is data from outside: one that was `%2E%2E%2F` arrives as `../`.
 */
import { namesOf, parseParts, UriTemplateError } from './uri-template-parser.js';
import { expandParts } from './uri-template-expander.js';
import { UriTemplateScanner } from './uri-template-scanner.js';

/** A longer URI matches no template. UTF-16 code units, which for a URI are bytes. */
export const MAX_URI_LENGTH = 8_192;

export interface UriTemplate {
  /** As written. */
  readonly template: string;
  /** Names in the order of the template. */
  readonly variables: readonly string[];
  /** Number of fixed characters. Of two templates that match a URI, the one with more of them is meant. */
  readonly specificity: number;

  /**
   * Never throws.
   * @returns the values by name, absent ones left out, or undefined when the URI does not match
   */
  match(uri: string): Record<string, string> | undefined;

  /**
   * The URI of these values, such that `match` returns them again. For that it encodes more than RFC 6570 in two
   * places: `%` in a `{+x}` or `{#x}` is always `%25`, and where a value ends at the first occurrence of a text, the
   * first character of that text does not stand in it.
   *
   * @throws TypeError when a required value is missing or empty
   * @throws URIError when a value holds a lone surrogate
   */
  expand(values: Readonly<Record<string, string | undefined>>): string;
}

/**
 * @param where who wrote the template, such as `OrderTools.order`, for the message
 * @throws UriTemplateError when it is malformed, unsupported or ambiguous
 */
export function parseUriTemplate(template: string, where: string): UriTemplate {
  const parts = explained(template, where);
  return Object.freeze({
    template,
    variables: Object.freeze(parts.flatMap(namesOf)),
    specificity: parts.reduce((sum, part) => sum + (part.kind === 'literal' ? part.text.length : 0), 0),
    match: (uri: string) => (uri.length > MAX_URI_LENGTH ? undefined : new UriTemplateScanner(uri).scan(parts)),
    expand: (values: Readonly<Record<string, string | undefined>>) => expandParts(parts, values),
  });
}

function explained(template: string, where: string): ReturnType<typeof parseParts> {
  try {
    return parseParts(template);
  } catch (error) {
    throw new UriTemplateError(where, template, error instanceof Error ? error.message : String(error));
  }
}
