import { IssuerUnavailable } from './issuer-unavailable.error.js';

/** Longest body that is read, in bytes after decompression: far more than any metadata or key set needs. */
const MAX_BODY_BYTES = 512 * 1024;

const CLOSED = new IssuerUnavailable('this server is closing');

export interface IssuerRequest {
  /** Default GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: URLSearchParams | undefined;
}

/** Requests to issuers: in time, in size, and to where they were addressed. */
export class IssuerHttp {
  private readonly underWay = new Set<AbortController>();
  private closed = false;

  /** @param timeoutMs for a request, its body included */
  constructor(private readonly timeoutMs: number) {}

  /**
   * As `fetch`, for oauth4webapi too; resolves when the whole body is there.
   * @throws IssuerUnavailable for every answer but 200, redirects included, and for none
   */
  readonly fetch = async (url: string, request: IssuerRequest = {}): Promise<Response> => {
    const { origin, pathname } = new URL(url);
    const controller = new AbortController();
    const late = setTimeout(() => controller.abort(new IssuerUnavailable('no answer in time')), this.timeoutMs);
    this.underWay.add(controller);
    try {
      if (this.closed) throw CLOSED;
      const { method = 'GET', headers = {}, body = null } = request;
      const response = await fetch(url, { method, headers, body, redirect: 'manual', signal: controller.signal });
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new IssuerUnavailable(`it answered with status ${response.status}`);
      }
      return new Response(await readBody(response), { headers: { 'content-type': contentType(response) } });
    } catch (error) {
      throw new IssuerUnavailable(`${origin}${pathname}: ${reasonOf(error)}`);
    } finally {
      clearTimeout(late);
      this.underWay.delete(controller);
    }
  };

  /** Ends what is under way, and starts nothing more. */
  close(): void {
    this.closed = true;
    for (const controller of this.underWay) controller.abort(CLOSED);
  }
}

async function readBody(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (length > MAX_BODY_BYTES) throw new IssuerUnavailable(`its answer is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function contentType(response: Response): string {
  return response.headers.get('content-type') ?? 'application/octet-stream';
}

/** Fetch says no more than "fetch failed"; why is in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error.message;
}
