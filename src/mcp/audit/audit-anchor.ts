/** An entry, named so that it can be kept apart from the log, which must then hold it. */
export interface AuditAnchor {
  readonly chain: string;
  readonly seq: number;
  /** Of the entry, hex. It covers all entries before it. */
  readonly hash: string;
}

const ANCHOR = /^([\w-]{1,64}):(\d{1,15}):([0-9a-f]{64})$/;

/** `<chain>:<seq>:<hash>` */
export function anchorText({ chain, seq, hash }: AuditAnchor): string {
  return `${chain}:${seq}:${hash}`;
}

/** @throws Error if it is not what {@link anchorText} writes */
export function parseAnchor(text: string): AuditAnchor {
  const [, chain, seq, hash] = ANCHOR.exec(text) ?? [];
  if (chain !== undefined && hash !== undefined) return { chain, seq: Number(seq), hash };
  throw new Error('An entry to expect is <chain>:<seq>:<hash>, as the server logs it when it stops.');
}
