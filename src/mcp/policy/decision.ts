import type { DenialRule } from '../protocol/denial-rule.js';
import type { McpError } from '../protocol/errors.js';

/** What was decided of a use, and by what. */
export type Decision =
  | { readonly effect: 'allow'; readonly rule: string }
  /** The caller must not learn that it exists. */
  | { readonly effect: 'hide'; readonly rule: DenialRule }
  | { readonly effect: 'refuse'; readonly rule: DenialRule; readonly error: McpError };
