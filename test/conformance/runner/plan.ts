/** A revision of the protocol, and so the wire a scenario is run at. */
export type Wire = '2025-03-26' | '2025-06-18' | '2025-11-25' | '2026-07-28';

/** The revisions whose required scenarios the suite lists, and how many those are. */
export const REQUIRED: ReadonlyMap<Wire, number> = new Map([
  ['2025-11-25', 30],
  ['2026-07-28', 37],
]);

export interface Scenario {
  readonly name: string;
  readonly wire: Wire;
}

/** Scenarios that the suite reports without counting them, because its reference server fails them. They count here. */
export const ENFORCED: readonly Scenario[] = [
  { name: 'json-schema-2020-12', wire: '2025-11-25' },
  { name: 'json-schema-2020-12', wire: '2026-07-28' },
  { name: 'http-header-validation', wire: '2026-07-28' },
  { name: 'http-custom-header-server-validation', wire: '2026-07-28' },
  { name: 'server-session-lifecycle', wire: '2025-03-26' },
  { name: 'server-session-lifecycle', wire: '2025-06-18' },
  { name: 'server-session-lifecycle', wire: '2025-11-25' },
  { name: 'server-sse-polling', wire: '2025-11-25' },
];

/** The tasks extension is not served yet: its scenarios are listed, and neither pass nor fail. */
export function isLater(scenario: string): boolean {
  return scenario.startsWith('tasks-');
}

/** What more is known of a scenario than that all its checks are to succeed. */
export interface Expectation {
  /** Checks without whose success nothing was tested. */
  readonly required?: readonly string[];
  /** What is recorded among the checks and is none. */
  readonly records?: readonly string[];
  /** Checks that may go without a verdict, and why. */
  readonly unchecked?: Readonly<Record<string, string>>;
}

export const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  'server-sse-polling': {
    required: ['server-sse-priming-event', 'server-sse-retry-field', 'server-sse-disconnect-resume'],
    records: ['outgoing-request', 'incoming-response', 'incoming-sse-event', 'stream-closed'],
  },
  'server-sse-multiple-streams': {
    required: ['server-accepts-multiple-post-streams'],
    unchecked: { 'server-sse-streams-functional': 'tools/list is answered with JSON, so there are no streams to read' },
  },
  'server-session-lifecycle': {
    required: [
      'server-session-initialized-accepted',
      'server-session-delete-accepted',
      'server-session-terminated-returns-404',
    ],
  },
};
