import {
  PAIRS_STOPS,
  VALUE_STOPS,
  type PairsPart,
  type UriTemplatePart,
  type ValuePart,
  type ValueReach,
} from './uri-template-part.js';

/** A URI template that cannot be used; the message names the place, the part and the fix. */
export class UriTemplateError extends Error {
  constructor(where: string, template: string, problem: string) {
    super(`${where}: URI template "${template}": ${problem}`);
    this.name = 'UriTemplateError';
  }
}

/** Characters of a literal (RFC 6570, section 2.1; other than ASCII has to be percent-encoded). */
const LITERAL = /^(?:[!#$&()*+,\-./0-9:;=?@A-Z[\]_a-z~]|%[0-9A-Fa-f]{2})*$/;
/** RFC 6570, section 2.3. */
const NAME = /^(?:\w|%[0-9A-Fa-f]{2})(?:\.?(?:\w|%[0-9A-Fa-f]{2}))*$/;
const OPERATORS = '+#./;?&';

/** @throws Error whose message is the problem and its fix */
export function parseParts(template: string): readonly UriTemplatePart[] {
  const parts = joinLiterals(splitExpressions(template).flatMap(toParts));
  refuseDuplicates(parts);
  refuseMisplacedQuery(parts);
  return parts.map((part, index) => placed(part, parts.slice(index + 1)));
}

/** @returns literals and `{expressions}`, in order */
function splitExpressions(template: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < template.length;) {
    const isExpression = template[at] === '{';
    const end = template.indexOf(isExpression ? '}' : '{', at);
    if (isExpression && end < 0) throw new Error(`"${template.slice(at)}" is never closed. Add a "}".`);
    const next = isExpression ? end + 1 : end < 0 ? template.length : end;
    pieces.push(template.slice(at, next));
    at = next;
  }
  return pieces;
}

function toParts(piece: string): UriTemplatePart[] {
  if (piece.startsWith('{')) return expressionParts(piece);
  if (!LITERAL.test(piece)) {
    throw new Error(`"${piece}" holds a character that no URI has. Percent-encode it, and close every brace.`);
  }
  return [literal(piece)];
}

function expressionParts(expression: string): UriTemplatePart[] {
  const operator = OPERATORS.includes(expression.charAt(1)) ? expression.charAt(1) : '';
  const specs = expression.slice(1 + operator.length, -1).split(',');
  const names = specs.map((spec) => variableName(expression, spec));

  switch (operator) {
    case '?':
    case '&':
    case ';':
      return [{ kind: 'pairs', prefix: operator, names }];
    case '#':
      if (names.length > 1) throw new Error(`${expression} has several variables. A fragment takes one.`);
      return names.map((name) => ({ kind: 'fragment', name }));
    case '/':
      // Only here does a string make explode mean something: the segments that are left.
      return specs.flatMap((spec, i) => [literal('/'), value(names[i], spec.endsWith('*') ? 'path' : 'segment')]);
    case '.':
      return names.flatMap((name) => [literal('.'), value(name, 'segment')]);
    default:
      return names.flatMap((name) => [literal(','), value(name, operator === '+' ? 'uri' : 'segment')]).slice(1);
  }
}

function variableName(expression: string, spec: string): string {
  if (spec.includes(':')) {
    const modifier = spec.slice(spec.indexOf(':'));
    throw new Error(`${expression} has a prefix modifier, which cannot be matched back. Leave "${modifier}" out.`);
  }
  const name = spec.endsWith('*') ? spec.slice(0, -1) : spec;
  if (!NAME.test(name)) {
    throw new Error(
      `${expression} names no variable. Use letters, digits and "_", after one of ${OPERATORS} or nothing.`,
    );
  }
  return name;
}

function literal(text: string): UriTemplatePart {
  return { kind: 'literal', text };
}

function value(name = '', reach: ValueReach): ValuePart {
  return { kind: 'value', name, reach, tail: 0 };
}

function joinLiterals(parts: readonly UriTemplatePart[]): UriTemplatePart[] {
  const joined: UriTemplatePart[] = [];
  for (const part of parts) {
    const before = joined.at(-1);
    if (part.kind === 'literal' && before?.kind === 'literal') joined.splice(-1, 1, literal(before.text + part.text));
    else joined.push(part);
  }
  return joined;
}

export function namesOf(part: UriTemplatePart): readonly string[] {
  if (part.kind === 'literal') return [];
  return part.kind === 'pairs' ? part.names : [part.name];
}

function refuseDuplicates(parts: readonly UriTemplatePart[]): void {
  const seen = new Set<string>();
  for (const name of parts.flatMap(namesOf)) {
    if (seen.has(name)) throw new Error(`{${name}} occurs twice. Give each variable its own name.`);
    seen.add(name);
  }
}

function refuseMisplacedQuery(parts: readonly UriTemplatePart[]): void {
  let inQuery = false;
  for (const part of parts) {
    if (part.kind === 'literal') inQuery ||= part.text.includes('?');
    if (part.kind !== 'pairs' || part.prefix === ';') continue;
    if (inQuery && part.prefix === '?') throw new Error(`${show(part)} comes after a "?". Use ${show(part, '&')}.`);
    if (!inQuery && part.prefix === '&') throw new Error(`${show(part)} comes before any "?". Use ${show(part, '?')}.`);
  }
}

/** The part, once it is sure that what follows it shows where it ends. */
function placed(part: UriTemplatePart, following: readonly UriTemplatePart[]): UriTemplatePart {
  const [next] = following;
  if (part.kind === 'literal' || !next) return part;
  if (part.kind === 'value') return placedValue(part, next, following[1]);
  if (part.kind === 'fragment') throw new Error(`${show(part)} is not at the end. Put it last.`);
  if (!begins(next, PAIRS_STOPS[part.prefix])) {
    throw new Error(
      `${show(part)} is followed by ${show(next)}. Put all its variables into one expression, at the end.`,
    );
  }
  return part;
}

function placedValue(part: ValuePart, next: UriTemplatePart, afterNext: UriTemplatePart | undefined): ValuePart {
  const stops = VALUE_STOPS[part.reach];
  if (next.kind !== 'literal') {
    if (begins(next, stops)) return part;
    throw new Error(`${show(part)} is followed by ${show(next)}, which it would swallow. ${FIXES[part.reach]}`);
  }

  const stop = [...next.text].findIndex((character) => stops.includes(character));
  if (stop >= 0) return { ...part, tail: stop };
  if (!afterNext || begins(afterNext, stops)) return { ...part, tail: next.text.length };

  const splits = part.reach === 'segment' && afterNext.kind === 'value' && !next.text.startsWith('%');
  if (splits) return { ...part, until: next.text };
  throw new Error(
    `${show(part)} is followed by "${next.text}" and ${show(afterNext)}, which it would swallow. ${FIXES[part.reach]}`,
  );
}

const FIXES: Readonly<Record<ValueReach, string>> = {
  segment: 'Put a "/" between them.',
  path: 'Put it last in the path; only {?…}, {#…} or fixed text may follow.',
  uri: 'Put it last, or use {/name*} for a path that a query may follow.',
};

/** True if everything the part can begin with ends what comes before it. */
function begins(part: UriTemplatePart, stops: string): boolean {
  if (part.kind === 'value') return false;
  const first = part.kind === 'literal' ? part.text.charAt(0) : part.kind === 'pairs' ? part.prefix : '#';
  return stops.includes(first);
}

function show(part: UriTemplatePart, prefix?: PairsPart['prefix']): string {
  if (part.kind === 'literal') return `"${part.text}"`;
  if (part.kind === 'pairs') return `{${prefix ?? part.prefix}${part.names.join(',')}}`;
  if (part.kind === 'fragment') return `{#${part.name}}`;
  return `{${part.reach === 'uri' ? '+' : ''}${part.name}${part.reach === 'path' ? '*' : ''}}`;
}
