import type { SchemaIssue } from './compiled-schema.js';

const MAX_ISSUES = 20;
const MAX_LENGTH = 300;

/** Cuts issues down to what is worth a model's attention: 20 at most, each path and message of 300 characters at most. */
export function boundIssues(issues: readonly SchemaIssue[]): readonly SchemaIssue[] {
  return issues.slice(0, MAX_ISSUES).map(({ path, message }) => {
    const shortPath = shorten(path, MAX_LENGTH / 2);
    return { path: shortPath, message: shorten(message, MAX_LENGTH - shortPath.length) };
  });
}

function shorten(text: string, length: number): string {
  // Enough UTF-16 units for one character more than fits, whatever the characters are.
  const characters = Array.from(text.slice(0, 2 * length + 2));
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join('')}…`;
}

/** Renders path segments as `items[0].sku`. */
export function formatPath(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>((path, segment) => {
    if (typeof segment === 'number') return `${path}[${segment}]`;
    return path === '' ? String(segment) : `${path}.${String(segment)}`;
  }, '');
}

/** One line an issue, under a heading: the text a model receives for refused arguments. */
export function describeIssues(issues: readonly SchemaIssue[], heading = 'Invalid arguments:'): string {
  const lines = issues.map(({ path, message }) => (path === '' ? `- ${message}` : `- ${path}: ${message}`));
  return [heading, ...lines].join('\n');
}
