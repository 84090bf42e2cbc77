/** What is worth its cost only for work that has not ended in the turn in which it began: timers, listeners. */
export interface PutOff {
  endOfTurn(): void;
}

let waiting: PutOff[] = [];

/**
 * Puts something off to the end of this turn of the event loop. Most calls are over by then; all that are not share one
 * `setImmediate`. Nothing that comes from outside (a timeout, a connection that closes) can come before, but it may
 * have come within the turn: whoever is put off looks whether it has.
 */
export function atEndOfTurn(task: PutOff): void {
  if (waiting.length === 0) setImmediate(endTurn);
  waiting.push(task);
}

function endTurn(): void {
  const due = waiting;
  waiting = [];
  for (const task of due) task.endOfTurn();
}
