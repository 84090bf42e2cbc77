import { McpError } from '../../protocol/errors.js';
import { remembering } from '../../protocol/remembering.js';

/** Different headers that are remembered; clients send few. */
const MAX_REMEMBERED = 100;

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

/** Requires that certain media types are admitted. A client sends the same header each time, so it is read once. */
export class AcceptCheck {
  private readonly mediaTypes: readonly string[];
  private readonly admits: (header: string) => boolean;

  constructor(...mediaTypes: string[]) {
    this.mediaTypes = mediaTypes;
    this.admits = remembering(MAX_REMEMBERED, (header) => mediaTypes.every((mediaType) => accepts(header, mediaType)));
  }

  /** @throws McpError `NOT_ACCEPTABLE` */
  require(header: string | undefined): void {
    if (header === undefined || this.admits(header)) return;
    const listed = this.mediaTypes.join(' and ');
    throw new McpError('NOT_ACCEPTABLE', `Not acceptable: the Accept header must list ${listed}.`);
  }
}

/** What the answer to a call may be. */
export function acceptsAnswer({ jsonOnly }: { readonly jsonOnly: boolean }): AcceptCheck {
  return jsonOnly ? new AcceptCheck('application/json') : new AcceptCheck('application/json', 'text/event-stream');
}
