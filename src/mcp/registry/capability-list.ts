import { McpError } from '../protocol/errors.js';
import type { Era } from '../protocol/revisions.js';
import type { ListedCapability } from './capability.js';
import { EVERYTHING, type Visibility } from './visibility.js';

export interface Page {
  /** The entries of the page, serialised: a JSON array. */
  readonly entries: string;
  readonly nextCursor: string | undefined;
}

/** Sets of visible capabilities whose pages are kept; callers who see the same share them. */
const MAX_VIEWS = 100;

/** The part of a list that some callers see. */
interface View<C> {
  readonly sorted: readonly C[];
  /** By the index of their first entry. */
  readonly pages: Readonly<Record<Era, Map<number, Page>>>;
}

/**
 * The capabilities of one kind, in the order of their keys (the same on every replica), cut into pages that are
 * serialised once for all callers who see the same, and kept until the list changes.
 */
export class CapabilityList<C extends ListedCapability> {
  private readonly byKey = new Map<string, C>();
  private sorted: readonly C[] | undefined;
  private readonly views = new Map<string, View<C>>();

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

  /** In the order of their keys; the same array until the list changes. */
  all(): readonly C[] {
    return (this.sorted ??= [...this.byKey.values()].sort((a, b) => compareKeys(a.key, b.key)));
  }

  /**
   * @param cursor from an earlier page, or undefined for the first
   * @param visibility what the caller may see of the list
   * @param list what {@link all} gave when that was decided; the list may have changed since
   * @throws McpError `INVALID_PARAMS` for a cursor this server did not issue
   */
  page(
    era: Era,
    cursor: string | undefined,
    visibility: Visibility = EVERYTHING,
    list: readonly C[] = this.all(),
  ): Page {
    const view = list === this.all() ? this.view(visibility) : viewOf(list, visibility);
    const from = cursor === undefined ? 0 : indexAfter(view.sorted, decodeCursor(cursor));
    const pages = view.pages[era];
    const known = pages.get(from);
    if (known) return known;

    const slice = view.sorted.slice(from, from + this.pageSize);
    const last = slice.at(-1);
    const more = from + this.pageSize < view.sorted.length;
    const page = {
      entries: `[${slice.map((capability) => capability.entry[era]).join(',')}]`,
      nextCursor: more && last ? encodeCursor(last.key) : undefined,
    };
    // A cursor made before the list changed may start anywhere; only regular pages are worth keeping.
    if (from % this.pageSize === 0) pages.set(from, page);
    return page;
  }

  private view(visibility: Visibility): View<C> {
    const known = this.views.get(visibility.key);
    if (known) return known;
    const view = viewOf(this.all(), visibility);
    const [oldest] = this.views.keys();
    if (this.views.size >= MAX_VIEWS && oldest !== undefined) this.views.delete(oldest);
    this.views.set(visibility.key, view);
    return view;
  }

  private forget(): void {
    this.sorted = undefined;
    this.views.clear();
  }
}

function viewOf<C extends ListedCapability>(list: readonly C[], visibility: Visibility): View<C> {
  const sorted = list.filter((capability) => visibility.sees(capability));
  return { sorted, pages: { stateless: new Map(), session: new Map() } };
}

/** The first index whose key lies behind the given one, so that a cursor outlives changes of the list. */
function indexAfter(sorted: readonly ListedCapability[], key: string): number {
  const index = sorted.findIndex((capability) => compareKeys(capability.key, key) > 0);
  return index < 0 ? sorted.length : index;
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
