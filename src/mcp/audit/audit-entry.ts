import type { AuditDecision, AuditEvent, AuditOutcome, AuditPrimitive } from './audit-event.js';

/** Version of the format, the first member of each line. */
export const AUDIT_VERSION = 1;

/** What `prev` of the first entry of a chain holds. */
export const NO_ENTRY_HASH = '0'.repeat(64);

/** How far the next signature may be, part of each that is signed: without it what follows could go on for ever. */
export interface CheckpointBounds {
  /** Entries that go without a signature at most. */
  readonly checkpointEvery: number;
  /** Milliseconds by `at` between the first of these and the last, at most. */
  readonly checkpointMs: number;
}

/** The first entry of a chain. Signed. */
export interface StartEntry extends CheckpointBounds {
  readonly type: 'start';
  /** Public key of the chain: Ed25519, SPKI in Base64, which is a PEM file without its first and last line. */
  readonly publicKey: string;
  readonly keyId: string;
}

/** An operation; null is what is not known or does not apply. */
export interface OperationEntry {
  readonly type: 'operation';
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly client: string | null;
  readonly tenant: string | null;
  readonly era: NonNullable<AuditEvent['era']> | null;
  readonly method: string;
  readonly primitive: AuditPrimitive | null;
  /** `sha256:` or `hmac-sha256:` and 64 hex digits; null without arguments, `unreadable` if they were no plain JSON. */
  readonly argsDigest: string | null;
  readonly fields?: Readonly<Record<string, AuditFieldValue>> | undefined;
  readonly decision: AuditDecision;
  readonly rule: string;
  readonly outcome: AuditOutcome;
  readonly code: number | null;
  readonly latencyMs: number | null;
  readonly traceId: string | null;
  /** How many operations of the second before it stands for; what may differ between them is null. Default 1. */
  readonly count?: number | undefined;
}

/** Operations were lost here, because the sink failed or was too slow. */
export interface GapEntry {
  readonly type: 'gap';
  /** How many. */
  readonly lost: number;
}

/** Proves everything before it. Signed; so is the last entry of a chain that was ended in order. */
export interface SealEntry extends CheckpointBounds {
  readonly type: 'checkpoint' | 'end';
  /** Entries since the last signed one. */
  readonly count: number;
  readonly keyId: string;
}

export type AuditFieldValue = string | number | boolean | null;
export type AuditEntryBody = StartEntry | OperationEntry | GapEntry | SealEntry;

/** What every entry has. A line is the JSON of one, without spaces, its members in the order they are written in here. */
export type AuditEntry = {
  readonly v: typeof AUDIT_VERSION;
  readonly type: AuditEntryBody['type'];
  /** Random; one for each sink of each process. */
  readonly chain: string;
  /** Place in the chain, from 0. */
  readonly seq: number;
  /** When it was recorded, ISO 8601 in UTC with milliseconds. */
  readonly at: string;
  readonly replica: string;
} & AuditEntryBody & {
    /** `hash` of the entry before it; 64 zeros at the start. */
    readonly prev: string;
    /** SHA-256 over `prev` and the canonical JSON of the entry without `hash` and `signature`. Hex. */
    readonly hash: string;
    /** Ed25519 over `hash`, see `signHash`. Base64. */
    readonly signature?: string;
  };
