import type { ListedCapability } from './capability.js';

/** What of a list one caller may see. */
export interface Visibility {
  /** Equal for callers who see the same. */
  readonly key: string;
  sees(capability: ListedCapability): boolean;
}

/** For callers from whom nothing is hidden. */
export const EVERYTHING: Visibility = Object.freeze({ key: '', sees: () => true });
