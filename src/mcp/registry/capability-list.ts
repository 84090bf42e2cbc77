import { McpError } from '../protocol/errors.js';
import type { Era } from '../protocol/revisions.js';
import type { ListedCapability } from './capability.js';

export interface Page {
  /** The entries of the page, serialised: a JSON array. */
  readonly entries: string;
  readonly nextCursor: string | undefined;
}

/**
 * The capabilities of one kind, in the order of their keys (the same on every replica), cut into pages that are
 * serialised once and kept until the list changes.
 */
export class CapabilityList<C extends ListedCapability> {
  private readonly byKey = new Map<string, C>();
  private sorted: readonly C[] | undefined;
  private readonly pages = new Map<string, Page>();

  constructor(
    private readonly what: string,
    private readonly pageSize: number,
  ) {}

  get(key: string): C | undefined {
    return this.byKey.get(key);
  }

  /** @throws Error naming both origins when the key is taken */
  add(capability: C): void {
    const present = this.byKey.get(capability.key);
    if (present) {
      throw new Error(
        `Two ${this.what}s are called "${capability.key}": ${present.origin} and ${capability.origin}. ` +
          (present.origin === capability.origin
            ? 'Provide the class in one module and import that module elsewhere.'
            : 'Rename one of them.'),
      );
    }
    this.byKey.set(capability.key, capability);
    this.forget();
  }

  delete(key: string): boolean {
    const deleted = this.byKey.delete(key);
    if (deleted) this.forget();
    return deleted;
  }

  all(): readonly C[] {
    return (this.sorted ??= [...this.byKey.values()].sort((a, b) => compareKeys(a.key, b.key)));
  }

  /**
   * @param cursor from an earlier page, or undefined for the first
   * @throws McpError `INVALID_PARAMS` for a cursor this server did not issue
   */
  page(era: Era, cursor: string | undefined): Page {
    const from = cursor === undefined ? 0 : this.indexAfter(decodeCursor(cursor));
    const memo = `${era}:${from}`;
    const known = this.pages.get(memo);
    if (known) return known;

    const slice = this.all().slice(from, from + this.pageSize);
    const last = slice.at(-1);
    const more = from + this.pageSize < this.all().length;
    const page = {
      entries: `[${slice.map((capability) => capability.entry[era]).join(',')}]`,
      nextCursor: more && last ? encodeCursor(last.key) : undefined,
    };
    // A cursor made before the list changed may start anywhere; only regular pages are worth keeping.
    if (from % this.pageSize === 0) this.pages.set(memo, page);
    return page;
  }

  /** The first index whose key lies behind the given one, so that a cursor outlives changes of the list. */
  private indexAfter(key: string): number {
    const index = this.all().findIndex((capability) => compareKeys(capability.key, key) > 0);
    return index < 0 ? this.byKey.size : index;
  }

  private forget(): void {
    this.sorted = undefined;
    this.pages.clear();
  }
}

/** By UTF-16 code unit: independent of locale, and so of the replica. */
function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function encodeCursor(key: string): string {
  return Buffer.from(JSON.stringify({ after: key })).toString('base64url');
}

function decodeCursor(cursor: string): string {
  try {
    const { after } = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as { after?: unknown };
    if (typeof after === 'string' && encodeCursor(after) === cursor) return after;
  } catch {
    // falls through: whatever is wrong with it, the client is told the same
  }
  throw new McpError('INVALID_PARAMS', 'Invalid cursor. Start again without one.');
}
