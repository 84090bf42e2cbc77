import type { LoggingLevel } from '@modelcontextprotocol/server';

/** RFC 5424 severities, as MCP names them, from the least to the most severe. */
const LEVELS: readonly LoggingLevel[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

export function isLogLevel(value: unknown): value is LoggingLevel {
  return (LEVELS as readonly unknown[]).includes(value);
}

/** Whether a message of a level is wanted by someone who asked for a lowest level; nobody asked if that is undefined. */
export function reaches(level: LoggingLevel, lowest: LoggingLevel | undefined): boolean {
  return lowest !== undefined && LEVELS.indexOf(level) >= LEVELS.indexOf(lowest);
}
