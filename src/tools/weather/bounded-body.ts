/** The answer is longer than was agreed to. */
export class BodyTooLargeError extends Error {
  constructor(readonly limit: number) {
    super(`The body has more than ${limit} bytes.`);
    this.name = 'BodyTooLargeError';
  }
}

/**
 * Reads a body as UTF-8 text and stops reading as soon as it is too long.
 *
 * @param maxBytes counted after decompression
 * @throws BodyTooLargeError
 */
export async function readBoundedText(body: AsyncIterable<Uint8Array> | null, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by an error cancels the stream and frees the connection.
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BodyTooLargeError(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
