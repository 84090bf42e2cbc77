import type { LoggedStream } from './logged-stream.js';

/** The streams that hold events, least recently written first. The list is in the streams, as each event moves one. */
export class StreamQueue {
  #last: LoggedStream | undefined;
  #first: LoggedStream | undefined;

  get first(): LoggedStream | undefined {
    return this.#first;
  }

  /** Puts a stream last, wherever it was. */
  putLast(stream: LoggedStream): void {
    const last = this.#last;
    if (last === stream) return;
    this.remove(stream);
    stream.earlier = last;
    if (last) last.later = stream;
    else this.#first = stream;
    this.#last = stream;
  }

  /** Does nothing to one that is not there. */
  remove(stream: LoggedStream): void {
    const { earlier, later } = stream;
    if (earlier) earlier.later = later;
    else if (this.#first === stream) this.#first = later;
    if (later) later.earlier = earlier;
    else if (this.#last === stream) this.#last = earlier;
    stream.earlier = undefined;
    stream.later = undefined;
  }
}
