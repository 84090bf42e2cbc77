import { type IncomingHttpHeaders, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ReceivedSpan, readSpans } from './received-span.js';

export interface OtlpReceiver extends AsyncDisposable {
  /** Base URL, as in OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  /** Whatever has come. */
  readonly spans: readonly ReceivedSpan[];
  readonly requests: readonly { readonly path: string; readonly headers: IncomingHttpHeaders; readonly body: Buffer }[];
}

/**
 * Receives traces over OTLP/HTTP as protobuf, on a free port.
 * @param answer default: takes them
 */
export async function startOtlpReceiver(
  answer: (response: ServerResponse) => void = (response) => void response.end(),
): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: OtlpReceiver['requests'][number][] = [];
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces);
      requests.push({ path: request.url ?? '', headers: request.headers, body });
      spans.push(...readSpans(body));
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
