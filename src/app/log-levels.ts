/** From the one that says least to the one that says most, and the one that says nothing. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How much is logged on a level; nothing on `silent`. A line is logged if its level says no more than the set one. */
export function loudness(level: LogLevel): number {
  return level === 'silent' ? -1 : LOG_LEVELS.indexOf(level);
}
