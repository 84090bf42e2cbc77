/** Why a call's signal aborted. */
export class CallCancelled extends Error {
  constructor(reason?: string) {
    super(reason ? `The client cancelled the call: ${reason}` : 'The client cancelled the call.');
    this.name = 'CallCancelled';
  }
}

export class CallTimedOut extends Error {
  constructor(readonly timeoutMs: number) {
    super(`The call did not finish within ${timeoutMs} ms.`);
    this.name = 'CallTimedOut';
  }
}

/** The server stops, and the time that it gives to running calls is over. */
export class CallStopped extends Error {
  constructor() {
    super('The server is stopping, and the call was not done in time.');
    this.name = 'CallStopped';
  }
}

/**
 * The call has ended with `input_required` and will run again from its beginning. Handlers need not know of it; code
 * that catches everything should let it pass.
 */
export class CallSuspended extends Error {
  constructor() {
    super('The call waits for input from the client and will run again.');
    this.name = 'CallSuspended';
  }
}
