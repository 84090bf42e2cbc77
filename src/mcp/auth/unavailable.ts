import { McpError } from '../protocol/errors.js';

/** 503: whether the token is good cannot be found out at the moment. The reason is in the log, not here. */
export function unavailable(): McpError {
  return new McpError('UNAVAILABLE', 'The access token cannot be checked at the moment. Try again later.', undefined, {
    headers: { 'retry-after': '5' },
  });
}
