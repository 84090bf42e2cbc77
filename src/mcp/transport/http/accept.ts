import { McpError } from '../../protocol/errors.js';

/**
 * Whether an `Accept` header admits a media type (RFC 9110, 12.5.1). Without the header anything is admitted; a type
 * with `q=0` is not.
 */
export function accepts(header: string | undefined, mediaType: string): boolean {
  if (header === undefined) return true;
  const family = `${mediaType.slice(0, mediaType.indexOf('/'))}/*`;
  return header.split(',').some((part) => {
    const [range, ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    return !refused && (range === mediaType || range === family || range === '*/*');
  });
}

/** @throws McpError `NOT_ACCEPTABLE` */
export function requireAccept(header: string | undefined, ...mediaTypes: string[]): void {
  const refused = mediaTypes.find((mediaType) => !accepts(header, mediaType));
  if (refused) {
    throw new McpError('NOT_ACCEPTABLE', `Not acceptable: the Accept header must list ${mediaTypes.join(' and ')}.`);
  }
}
