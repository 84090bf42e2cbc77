import type { ContentBlock } from '@modelcontextprotocol/server';
import { goOn, type NowOrLater } from '../../protocol/now-or-later.js';
import type { Era } from '../../protocol/revisions.js';
import type { ToolCapability } from '../../registry/capability.js';
import type { SchemaIssue, Validation } from '../../schema/compiled-schema.js';
import { describeIssues } from '../../schema/issues.js';
import type { JsonWriter, WrittenJson } from '../../schema/json-writer.js';
import type { Outcome } from '../outcome.js';
import { isContentBlock, text } from './content.js';
import type { ResultEncoder } from './result-encoder.js';

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
 * Turns what a tool returned into its outcome.
 * @throws InvalidOutputError; ResultTooLargeError
 */
export function encodeToolResult(
  encoder: ResultEncoder,
  tool: ToolCapability,
  value: unknown,
  era: Era,
): NowOrLater<Outcome> {
  const { output } = tool;
  const full = isFullResult(value, output !== undefined) ? value : undefined;
  if (!output) return full ? encodeFull(encoder, full, era) : encodeContent(encoder, value, era);
  if (full?.['isError'] === true) return encodeFull(encoder, full, era);
  if (!full && output.write && typeof value === 'object' && value !== null) {
    const written = writtenBy(output.write, value);
    if (written) return encoder.completeWritten(era, written);
  }

  const encode = (checked: Validation): Outcome => {
    if (!checked.ok) throw new InvalidOutputError(tool.origin, checked.issues);
    return encodeStructured(encoder, { full, structured: checked.value, isWrapped: tool.wrapOutput }, era);
  };
  return goOn(output.validate(full ? full['structuredContent'] : value), encode);
}

/** What a getter throws is for the validation to find out. */
function writtenBy(write: JsonWriter, value: object): WrittenJson | undefined {
  try {
    return write(value);
  } catch {
    return undefined;
  }
}

function encodeFull(encoder: ResultEncoder, full: ToolResult, era: Era): Outcome {
  const outcome = encoder.complete(era, full);
  return full['isError'] === true ? failed(outcome) : outcome;
}

interface Structured {
  readonly full: ToolResult | undefined;
  /** JSON, as the output schema has let it pass. */
  readonly structured: unknown;
  readonly isWrapped: boolean;
}

function encodeStructured(encoder: ResultEncoder, { full, structured, isWrapped }: Structured, era: Era): Outcome {
  // The text serves clients that know no structured content (server/tools, "Structured Content").
  const json = JSON.stringify(structured) as string | undefined;
  const wraps = isWrapped && era === 'session';
  if (!full && json !== undefined) return encoder.completeText(era, json, wraps ? `{"result":${json}}` : json);
  const outcome = encoder.complete(era, {
    ...full,
    content: full && full.content.length > 0 ? full.content : [{ type: 'text', text: json }],
    structuredContent: wraps ? { result: structured } : structured,
  });
  return full?.['isError'] === true ? failed(outcome) : outcome;
}

function encodeContent(encoder: ResultEncoder, value: unknown, era: Era): Outcome {
  if (value === undefined || value === null) return encoder.complete(era, { content: [] });
  if (isContentBlock(value)) return encoder.complete(era, { content: [value] });
  if (Array.isArray(value) && value.length > 0 && value.every(isContentBlock))
    return encoder.complete(era, { content: value });
  return encoder.completeText(era, typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
}

/** The outcome of a tool that could not do what it was asked to; the model reads why. */
export function encodeToolError(encoder: ResultEncoder, message: string, era: Era): Outcome {
  return failed(encoder.complete(era, { content: [text(message)], isError: true }));
}

function failed(outcome: Outcome): Outcome {
  return outcome.kind === 'result' ? { ...outcome, failed: true } : outcome;
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
