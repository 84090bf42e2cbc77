/** The revision in which every request stands alone: no handshake, no session. */
export const STATELESS_REVISION = '2026-07-28';

/** The revisions that open with `initialize`, newest first. */
export const SESSION_REVISIONS = ['2025-11-25', '2025-06-18', '2025-03-26'] as const;

export type SessionRevision = (typeof SESSION_REVISIONS)[number];
export type Revision = typeof STATELESS_REVISION | SessionRevision;

/** Every revision this server speaks, newest first; the list that clients are told. */
export const REVISIONS: readonly Revision[] = [STATELESS_REVISION, ...SESSION_REVISIONS];

/** Which of the two wire shapes a call arrived in. */
export type Era = 'stateless' | 'session';

export function isSessionRevision(value: string): value is SessionRevision {
  return (SESSION_REVISIONS as readonly string[]).includes(value);
}
