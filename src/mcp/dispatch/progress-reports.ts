/**
 * The progress of one call, as `params` of its notifications. Nobody hears of any without a token, and it must increase
 * (2025-11-25 basic/utilities/progress, "Progress Flow").
 */
export class ProgressReports {
  /** The params up to the progress; undefined if the caller wants to hear of none. */
  private readonly head: string | undefined;
  private last = Number.NEGATIVE_INFINITY;

  /** @param token `progressToken` of the request, whatever it is */
  constructor(token: unknown) {
    const isToken = typeof token === 'string' || Number.isInteger(token);
    this.head = isToken ? `{"progressToken":${JSON.stringify(token)},"progress":` : undefined;
  }

  /** The next params, serialised; undefined if there is nothing to tell. */
  next(progress: number, total: number | undefined, message: string | undefined): string | undefined {
    if (this.head === undefined || !(progress > this.last)) return undefined;
    this.last = progress;
    let params = this.head + numeral(progress);
    if (total !== undefined) params += `,"total":${numeral(total)}`;
    if (message !== undefined) params += `,"message":${JSON.stringify(message)}`;
    return `${params}}`;
  }
}

/** A number as JSON writes it. */
function numeral(value: number): string {
  return Number.isFinite(value) ? `${value}` : JSON.stringify(value);
}
