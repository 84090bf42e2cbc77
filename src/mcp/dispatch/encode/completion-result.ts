/** Values a completion may carry (server/utilities/completion, "Completion Results"). */
const MAX_VALUES = 100;

/** Turns what a completion handler returned into a `CompleteResult`. @throws TypeError for anything else */
export function completionResult(value: unknown, origin: string): Record<string, unknown> {
  const given = Array.isArray(value)
    ? { values: value as unknown[] }
    : (value as { values?: unknown } | null | undefined);
  if (!given || !Array.isArray(given.values) || !given.values.every((entry) => typeof entry === 'string')) {
    throw new TypeError(`${origin} must return an array of strings, or an object with such \`values\`.`);
  }
  const { values, total, hasMore } = given as { values: string[]; total?: number; hasMore?: boolean };
  return {
    completion: {
      values: values.slice(0, MAX_VALUES),
      total: total ?? values.length,
      hasMore: hasMore ?? (total ?? values.length) > MAX_VALUES,
    },
  };
}
