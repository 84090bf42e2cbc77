import type { Implementation } from '@modelcontextprotocol/server';
import type { CacheHint } from '../../protocol/cache-hint.js';
import type { McpError } from '../../protocol/errors.js';
import { SERVER_INFO_META_KEY } from '../../protocol/meta-keys.js';
import type { Era } from '../../protocol/revisions.js';
import type { Page } from '../../registry/capability-list.js';
import type { WrittenJson } from '../../schema/json-writer.js';
import type { ErrorOutcome, Outcome, ResultOutcome } from '../outcome.js';
import { keptResult } from './kept-result.js';

type Body = Readonly<Record<string, unknown>>;

/** Puts results into the form of an era: 2026-07-28 wants a type, cache hints and the server's name on them. */
export class ResultEncoder {
  private readonly meta: Readonly<Record<string, unknown>>;
  /** Of every result of 2026-07-28 that has no `_meta` of its own. */
  private readonly end: string;

  /** @param maxResultBytes UTF-8 bytes a serialised result may have */
  constructor(
    serverInfo: Implementation,
    readonly maxResultBytes: number,
  ) {
    this.meta = { [SERVER_INFO_META_KEY]: serverInfo };
    this.end = `,"_meta":${JSON.stringify(this.meta)}}`;
  }

  /** @throws ResultTooLargeError */
  complete(era: Era, body: Body, cache?: Required<CacheHint>): Outcome {
    if (era === 'session') return this.result(JSON.stringify(body));
    return this.result(
      JSON.stringify({
        resultType: 'complete',
        ...body,
        ...(cache && { ttlMs: cache.ttlMs, cacheScope: cache.scope }),
        _meta: { ...(body['_meta'] as object | undefined), ...this.meta },
      }),
    );
  }

  /**
   * What a tool says in one text, as {@link complete} would write it.
   * @param structured the structured content, serialised already
   * @throws ResultTooLargeError
   */
  completeText(era: Era, text: string, structured?: string): Outcome {
    const content = `"content":[{"type":"text","text":${JSON.stringify(text)}}]`;
    const body = structured === undefined ? content : `${content},"structuredContent":${structured}`;
    return this.result(era === 'session' ? `{${body}}` : `{"resultType":"complete",${body}${this.end}`);
  }

  /**
   * Structured content and the same as a text, as {@link complete} would write it.
   * @throws ResultTooLargeError
   */
  completeWritten(era: Era, { json, quoted }: WrittenJson): Outcome {
    return this.result(
      era === 'session'
        ? `{"content":[{"type":"text","text":"${quoted}"}],"structuredContent":${json}}`
        : `{"resultType":"complete","content":[{"type":"text","text":"${quoted}"}],"structuredContent":${json}${this.end}`,
    );
  }

  /** A list, whose entries are serialised already; to be kept with its page. */
  list(era: Era, field: string, { entries, nextCursor }: Page, cache: Required<CacheHint>): ResultOutcome {
    const next = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`;
    if (era === 'session') return keptResult(`{"${field}":${entries}${next}}`);
    return keptResult(
      `{"resultType":"complete","${field}":${entries}${next},"ttlMs":${cache.ttlMs},` +
        `"cacheScope":"${cache.scope}"${this.end}`,
    );
  }

  inputRequired(inputRequests: Body, requestState: string): Outcome {
    return this.result(JSON.stringify({ resultType: 'input_required', inputRequests, requestState, _meta: this.meta }));
  }

  private result(json: string): Outcome {
    // UTF-8 needs at most three bytes for a UTF-16 unit, so most results need not be measured.
    if (json.length * 3 > this.maxResultBytes) {
      const bytes = Buffer.byteLength(json);
      if (bytes > this.maxResultBytes) throw new ResultTooLargeError(bytes, this.maxResultBytes);
    }
    return { kind: 'result', json };
  }
}

export class ResultTooLargeError extends Error {
  constructor(
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(`The result has ${bytes} bytes; the limit is ${limit}. Return less, or raise MCP_MAX_RESULT_BYTES.`);
    this.name = 'ResultTooLargeError';
  }
}

export function errorOutcome(error: McpError): ErrorOutcome {
  const { status, headers } = error;
  return { kind: 'error', error: error.toWire(), status, ...(headers && { headers }) };
}
