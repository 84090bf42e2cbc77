import fc from 'fast-check';
import { expect } from 'vitest';
import { NAMES, type Name } from './guarded-server.js';
import type { OwnedSession, TwoCallers } from './two-callers.js';

/** What somebody does next. Indexes are counted round and round in what there is. */
export interface Step {
  readonly what: (typeof STEPS)[number];
  readonly who: Name;
  readonly session: number;
  readonly other: number;
}

const STEPS = [
  'open',
  'call',
  'ask',
  'answer',
  'cancel',
  'listen',
  'resume',
  'subscribe',
  'touch',
  'end',
  'round',
  'retry',
] as const;

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    what: fc.constantFrom(...STEPS, 'open', 'ask', 'answer', 'call', 'listen'),
    who: fc.constantFrom(...NAMES),
    session: fc.nat(20),
    other: fc.nat(20),
  }),
  { minLength: 5, maxLength: 25 },
);

/** Does one step, and looks whether the answer is the one that the model has. */
export async function take(callers: TwoCallers, step: Step): Promise<void> {
  const { who, what } = step;
  if (what === 'open') return callers.open(who);
  if (what === 'touch') return callers.touch(who);
  if (what === 'round') return round(callers, step);
  if (what === 'retry') return retry(callers, step);
  const session = pick(callers.sessions, step.session);
  if (!session) return;
  const isMine = session.owner === who && !session.ended;
  switch (what) {
    case 'call':
      return call(callers, step, session, isMine);
    case 'ask':
      return expect(await callers.ask(who, session)).toBe(isMine ? 200 : 404);
    case 'answer':
      return answer(callers, step, session, isMine);
    case 'cancel':
      return cancel(callers, step, session, isMine);
    case 'listen':
      return expect(await callers.listen(who, session)).toBe(isMine ? 200 : 404);
    case 'resume':
      return resume(callers, step, session, isMine);
    case 'subscribe':
      return subscribe(callers, step, session, isMine);
    case 'end':
      return end(callers, step, session, isMine);
  }
}

async function call(callers: TwoCallers, { who }: Step, session: OwnedSession, isMine: boolean): Promise<void> {
  const marker = callers.marker(who);
  const params = { name: 'mine', arguments: { marker }, _meta: { progressToken: marker } };
  const { status, text } = await callers.post(who, session, { id: marker, method: 'tools/call', params });
  expect(status).toBe(isMine ? 200 : 404);
  if (isMine) expect(text).toContain(`"${who} has ${marker}"`);
}

async function answer(
  callers: TwoCallers,
  { who, other }: Step,
  session: OwnedSession,
  isMine: boolean,
): Promise<void> {
  const question = pick(callers.questions, other);
  if (!question) return;
  const result = { action: 'accept', content: { name: callers.marker(who) } };
  const { status } = await callers.post(who, session, { id: question.askId, result });
  if (!isMine) return expect(status).toBe(404);
  const isAnswered = question.open && question.session === session;
  expect(status).toBe(isAnswered ? 202 : 400);
  if (!isAnswered) return;
  question.open = false;
  await question.ended;
}

async function cancel(
  callers: TwoCallers,
  { who, other }: Step,
  session: OwnedSession,
  isMine: boolean,
): Promise<void> {
  const question = pick(callers.questions, other);
  if (!question) return;
  const params = { requestId: question.requestId };
  const { status } = await callers.post(who, session, { method: 'notifications/cancelled', params });
  expect(status).toBe(isMine ? 202 : 404);
  if (!isMine || question.session !== session || !question.open) return;
  question.open = false;
  await question.ended;
}

/** With an id that either of them was given: it leads to nothing on another session. */
async function resume(
  callers: TwoCallers,
  { who, other }: Step,
  session: OwnedSession,
  isMine: boolean,
): Promise<void> {
  const event = pick(callers.eventIds, other);
  if (!event) return;
  const status = await callers.listen(who, session, event.id);
  if (isMine) expect(status).toBeOneOf([200, 400]);
  else expect(status).toBe(404);
}

async function subscribe(
  callers: TwoCallers,
  { who, other }: Step,
  session: OwnedSession,
  isMine: boolean,
): Promise<void> {
  const owner = pick(NAMES, other) ?? who;
  const params = { uri: `notes://fixed/${owner}` };
  const { status, text } = await callers.post(who, session, { id: 'subscribe', method: 'resources/subscribe', params });
  expect(status).toBe(isMine ? 200 : 404);
  if (isMine) expect(text).toContain(owner === who ? '"id":"subscribe","result"' : '"id":"subscribe","error"');
}

async function end(callers: TwoCallers, { who }: Step, session: OwnedSession, isMine: boolean): Promise<void> {
  expect(await callers.end(who, session)).toBe(isMine ? 204 : 404);
  if (isMine) await callers.hearTheEndOf(session);
}

async function round(callers: TwoCallers, { who }: Step): Promise<void> {
  expect(await callers.call(who, callers.marker(who))).toHaveProperty('result.resultType', 'input_required');
}

/** With a request state that either of them was given. */
async function retry(callers: TwoCallers, { who, other }: Step): Promise<void> {
  const earlier = pick(callers.rounds, other);
  if (!earlier) return;
  const inputResponses = { elicitation_1: { action: 'accept', content: { name: 'somebody' } } };
  const { requestState } = earlier;
  // The same request but for who sends it; the marker is part of it, and known to whoever stole the state.
  const answered = await callers.call(who, earlier.marker, { requestState, inputResponses });
  if (who === earlier.owner) expect(answered).toHaveProperty('result.resultType', 'complete');
  else expect(answered).toHaveProperty('error.code', -32602);
}

function pick<T>(list: readonly T[], index: number): T | undefined {
  return list[index % list.length];
}
