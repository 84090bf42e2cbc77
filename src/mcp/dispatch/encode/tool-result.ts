import type { ContentBlock } from '@modelcontextprotocol/server';
import type { Era } from '../../protocol/revisions.js';
import type { ToolCapability } from '../../registry/capability.js';
import type { SchemaIssue } from '../../schema/compiled-schema.js';
import { describeIssues } from '../../schema/issues.js';
import { isContentBlock, text } from './content.js';

/** A `CallToolResult` as it goes on the wire. */
export type ToolResult = Readonly<Record<string, unknown>> & { readonly content: readonly ContentBlock[] };

/** The returned value does not fit the tool's output schema: a fault of the server, not of the caller. */
export class InvalidOutputError extends Error {
  constructor(origin: string, issues: readonly SchemaIssue[]) {
    super(describeIssues(issues, `${origin} returned a value that does not fit its output schema:`));
    this.name = 'InvalidOutputError';
  }
}

/**
 * Turns what a tool returned into a result.
 * @throws InvalidOutputError
 */
export async function toolResult(tool: ToolCapability, value: unknown, era: Era): Promise<ToolResult> {
  const full = isFullResult(value, tool.output !== undefined) ? value : undefined;
  if (full && (full['isError'] === true || !tool.output)) return full;
  if (!tool.output) return { content: contentOf(value) };

  const checked = await tool.output.validate(full ? full['structuredContent'] : value);
  if (!checked.ok) throw new InvalidOutputError(tool.origin, checked.issues);
  const structured = checked.value;
  return {
    ...full,
    // The text serves clients that know no structured content (server/tools, "Structured Content").
    content: full && full.content.length > 0 ? full.content : [text(JSON.stringify(structured))],
    structuredContent: tool.wrapOutput && era === 'session' ? { result: structured } : structured,
  };
}

/** What the model reads when a tool could not do what it was asked to. */
export function toolErrorResult(message: string): ToolResult {
  return { content: [text(message)], isError: true };
}

/**
 * Whether a handler made the result itself. A team's own object may have a `content` of its own, so that a list of
 * nothing, or what an output schema describes, needs a further mark of a result.
 */
function isFullResult(value: unknown, structured: boolean): value is ToolResult {
  if (typeof value !== 'object' || value === null) return false;
  const { content } = value as { content?: unknown };
  if (!Array.isArray(content) || !content.every(isContentBlock)) return false;
  return 'structuredContent' in value || 'isError' in value || (!structured && content.length > 0);
}

function contentOf(value: unknown): readonly ContentBlock[] {
  if (value === undefined || value === null) return [];
  if (isContentBlock(value)) return [value];
  if (Array.isArray(value) && value.length > 0 && value.every(isContentBlock)) return value;
  return [text(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))];
}
