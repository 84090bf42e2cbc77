/** Characters of a message, and of a stack. */
const MAX_TEXT = 8_000;
/** Characters of any other text. */
const MAX_FIELD = 2_000;
/** Characters of all that is logged with one line besides its message. */
const MAX_FIELDS = 16_000;
/** Characters beyond a cut that are looked at too: what gives a secret away may stand behind it, as `@` in a URL. */
const BEYOND_CUT = 600;
const MAX_DEPTH = 5;
const MAX_ENTRIES = 50;
const MAX_CAUSES = 3;
const REDACTED = '[redacted]';
const CUT = '[cut]';

/** Names of what must not be logged, without case and separators. */
const SECRET_NAMES =
  /authorization$|cookie|token$|secret|passw|pwd$|passphrase|apikey|accesskey|accountkey|privatekey|signingkey|digestkey|sessionid$|assertion|credential|codeverifier|^(arguments|args|params|body|query|querystring|payload|inputresponses|requeststate|dpop|jwt|pin)$/;

/** The same within a text, where more words are harmless. */
const NAMES_IN_TEXT =
  '(?:(?:access|refresh|id|session|csrf)[-_]?token|client[-_]?(?:secret|assertion)|password|passwd|pwd|(?:api|private|account|access)[-_]?key|session[-_]?id|code[-_]?verifier|token|secret)';
/** The quote at the end of a name, as it looks in JSON, and in JSON that is a text within JSON. */
const QUOTE = `\\\\{0,15}["']`;
/** What stands between quotes that look the same, to the end of the line if it does not end; or a word of some length. */
const VALUE = `(?:(${QUOTE})(?:[^\\r\\n]{1,2000}?(?:(?<!\\\\)(\\3)|(?=[\\r\\n]|$))|[^\\r\\n]{2000})|[^\\s"',;&{}]{6,})`;

/** What gives a secret away in a text, whatever it is called there. All of them are linear in the text. */
const SECRET_TEXTS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [
    /\b((?:proxy-)?authorization|(?:set-)?cookie|mcp-session-id)(\\{0,15}["']?\s{0,5}[:=]\s{0,5})[^\r\n]+/gi,
    `$1$2${REDACTED}`,
  ],
  [/\b(bearer|basic|dpop|negotiate)\s{1,5}[\w.~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  [/\beyJ[\w-]{8,}(?:\.[\w-]*)*/g, REDACTED],
  [/\b([a-z][a-z\d+.-]{0,20}:\/\/)[^\s/@]{1,500}@/gi, `$1${REDACTED}@`],
  [/([\w/)\]])\?(?=[\w%])[^\s"'<>]+/g, `$1?${REDACTED}`],
  // A name in quotes or before = is one also as part of another, as in DB_PASSWORD=...; in sentences it has to be a word.
  [
    new RegExp(`(${NAMES_IN_TEXT})(${QUOTE}\\s{0,5}[:=]\\s{0,5}|\\s{0,5}=\\s{0,5})${VALUE}`, 'gi'),
    `$1$2$3${REDACTED}$4`,
  ],
  [new RegExp(`\\b(${NAMES_IN_TEXT})(\\s{0,5}:\\s{0,5})${VALUE}`, 'gi'), `$1$2$3${REDACTED}$4`],
  [/-----BEGIN [A-Z ]{1,40}-----[\s\S]*?(?:-----END [A-Z ]{1,40}-----|$)/g, REDACTED],
];

/** What moves the cursor of a terminal or turns the direction of a line, and so shows something that is not there. */
// eslint-disable-next-line no-control-regex -- these are what it is about
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** A text as it may stand in a log: without secrets and control characters, and of bounded length. */
export function safeText(text: string, max = MAX_TEXT): string {
  if (text.length <= max) return withoutControls(withoutSecrets(text));
  const safe = withoutSecrets(text.slice(0, max + BEYOND_CUT));
  // Of what was looked at the end may be the beginning of a secret that nothing has given away yet.
  const shown = safe.slice(0, Math.min(max, Math.max(0, safe.length - Math.min(BEYOND_CUT, text.length - max))));
  return `${withoutControls(shown)}… [${text.length - max} characters cut]`;
}

function withoutSecrets(text: string): string {
  let safe = text;
  for (const [pattern, replacement] of SECRET_TEXTS) safe = safe.replace(pattern, replacement);
  return safe;
}

function withoutControls(text: string): string {
  return text.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** An error as it may stand in a log, with what caused it. */
export interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly cause?: LoggedError;
}

/** What the fields of one line may still come to. */
export interface FieldBudget {
  /** Characters. */
  left: number;
}

export const fieldBudget = (): FieldBudget => ({ left: MAX_FIELDS });

export function safeError(error: Error, budget: FieldBudget = fieldBudget()): LoggedError {
  return describeError(error, budget, 1);
}

function describeError(error: Error, budget: FieldBudget, depth: number): LoggedError {
  const { name, message, stack } = error;
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
  return {
    type: bounded(String(name), 100, budget),
    message: bounded(String(message), MAX_TEXT, budget),
    ...((typeof code === 'string' || typeof code === 'number') && { code: bounded(String(code), 100, budget) }),
    ...(typeof stack === 'string' && budget.left > 0 && { stack: bounded(stack, MAX_TEXT, budget) }),
    ...(cause instanceof Error &&
      depth < MAX_CAUSES &&
      budget.left > 0 && { cause: describeError(cause, budget, depth + 1) }),
  };
}

/** A text, or as much of it as the line still has room for. */
function bounded(text: string, max: number, budget: FieldBudget): string {
  if (budget.left <= 0) return CUT;
  const safe = safeText(text, Math.min(max, budget.left));
  budget.left -= safe.length;
  return safe;
}

/** Whatever somebody logs, as a plain value of bounded size in which nothing is secret by its name or its form. */
export function safeValue(value: unknown, budget: FieldBudget = fieldBudget()): unknown {
  return copy(value, { budget, depth: 0, seen: new Set() });
}

interface Copying {
  readonly budget: FieldBudget;
  depth: number;
  readonly seen: Set<object>;
}

function copy(value: unknown, state: Copying): unknown {
  const { budget } = state;
  if (budget.left <= 0) return CUT;
  budget.left -= 8;
  switch (typeof value) {
    case 'string':
      return bounded(value, MAX_FIELD, budget);
    case 'number':
    case 'boolean':
    case 'undefined':
      return value;
    case 'bigint':
      return bounded(String(value), 100, budget);
    case 'function':
    case 'symbol':
      return `[${typeof value}]`;
    case 'object':
      return value === null ? null : copyObject(value, state);
  }
}

function copyObject(value: object, state: Copying): unknown {
  if (value instanceof Error) return safeError(value, state.budget);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return bounded(value.href, MAX_FIELD, state.budget);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (state.seen.has(value)) return '[seen]';
  if (state.depth >= MAX_DEPTH) return '[deeper]';
  state.seen.add(value);
  state.depth += 1;
  const copied = value instanceof Map || value instanceof Set ? `[${value.size} entries]` : copyEntries(value, state);
  state.depth -= 1;
  state.seen.delete(value);
  return copied;
}

function copyEntries(value: object, state: Copying): unknown {
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ENTRIES).map((item) => copy(item, state));
    return value.length > MAX_ENTRIES ? [...items, `[${value.length - MAX_ENTRIES} more]`] : items;
  }
  const copied: Record<string, unknown> = {};
  let entries = 0;
  for (const name of Object.keys(value)) {
    entries += 1;
    if (entries > MAX_ENTRIES || state.budget.left <= 0) {
      copied['…'] = CUT;
      break;
    }
    state.budget.left -= Math.min(name.length, 100);
    copied[safeText(name, 100)] = isSecret(name) ? REDACTED : copy(read(value, name), state);
  }
  return copied;
}

/** Whether what is called so must not be logged. */
export function isSecret(name: string): boolean {
  return name.length < 200 && SECRET_NAMES.test(name.replaceAll(/[-_.\s]/g, '').toLowerCase());
}

/** A getter may throw, and a log line must not. */
function read(value: object, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return '[unreadable]';
  }
}
