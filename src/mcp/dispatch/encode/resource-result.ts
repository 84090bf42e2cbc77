type Contents = Readonly<Record<string, unknown>>;

/** Turns what a resource handler returned into a `ReadResourceResult`; `undefined` if there is no such resource. */
export function resourceResult(value: unknown, uri: string, mimeType: string | undefined): Contents | undefined {
  if (value === undefined || value === null) return undefined;
  // An empty list could mean no content as well as no resource, so it must not be sent ("Error Handling").
  if (isEmptyResult(value)) return undefined;
  if (isFullResult(value)) return value;
  if (typeof value === 'string') return { contents: [{ uri, mimeType: mimeType ?? 'text/plain', text: value }] };
  if (value instanceof Uint8Array) {
    const blob = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    return { contents: [{ uri, mimeType: mimeType ?? 'application/octet-stream', blob }] };
  }
  return { contents: [{ uri, mimeType: mimeType ?? 'application/json', text: JSON.stringify(value) }] };
}

function isEmptyResult(value: unknown): boolean {
  const { contents, _meta, ...others } = value as Record<string, unknown>;
  return Array.isArray(contents) && contents.length === 0 && Object.keys(others).length === 0;
}

function isFullResult(value: unknown): value is { contents: readonly unknown[] } {
  const contents = typeof value === 'object' && value !== null && (value as { contents?: unknown }).contents;
  return (
    Array.isArray(contents) &&
    contents.length > 0 &&
    contents.every((entry: unknown) => typeof entry === 'object' && entry !== null && 'uri' in entry)
  );
}
