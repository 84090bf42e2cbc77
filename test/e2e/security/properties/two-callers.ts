import { expect } from 'vitest';
import { type Json, post, statelessRequest } from '../../../support/wire.js';
import { type GuardedServer, NAMES, type Name, type OpenSession } from './guarded-server.js';

/** A session, whose it is, and whether it has been ended. */
export interface OwnedSession extends OpenSession {
  readonly owner: Name;
  ended: boolean;
}

/** A call that has asked its client something. */
export interface Question {
  readonly session: OwnedSession;
  readonly requestId: number;
  /** Id of the server's request. */
  readonly askId: string;
  /** True until it was answered or cancelled, or its session has ended. */
  open: boolean;
  /** Resolves when the stream of the call has ended. */
  readonly ended: Promise<void>;
}

/** A call of the other era that was sent back for an answer. */
export interface Round {
  readonly owner: Name;
  readonly marker: string;
  readonly requestState: string;
}

interface Listening {
  readonly session: OwnedSession;
  readonly events: string[];
  readonly ended: Promise<void>;
}

const JSON_RPC = { jsonrpc: '2.0' } as const;
const ASKABLE = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } } };

/** Two callers who do what they like with each other's sessions, and all that each of them has heard. */
export class TwoCallers {
  readonly sessions: OwnedSession[] = [];
  readonly questions: Question[] = [];
  readonly rounds: Round[] = [];
  readonly heard: Record<Name, string> = { alice: '', bob: '' };
  /** Ids of events that were on streams, and whose. */
  readonly eventIds: { readonly owner: Name; readonly id: string }[] = [];
  private readonly listening: Listening[] = [];
  private readonly connections = new AbortController();
  private count = 0;

  constructor(private readonly server: GuardedServer) {}

  /** A text that nobody but its owner may ever hear. */
  marker(owner: Name): string {
    return `of-${owner}-${this.count++}`;
  }

  async open(who: Name): Promise<void> {
    const session = await this.server.openSession(who, '2025-11-25');
    this.sessions.push({ ...session, owner: who, ended: false });
  }

  /** POSTs a message on a session, and hears the answer to its end. */
  async post(who: Name, session: OwnedSession, message: Json): Promise<{ status: number; text: string }> {
    const response = await post(
      this.server.url,
      JSON.stringify({ ...JSON_RPC, ...message }),
      this.headers(who, session),
    );
    const text = await response.text();
    this.heard[who] += text;
    return { status: response.status, text };
  }

  /** Starts a call that asks, and waits for the question. @returns undefined if it was refused */
  async ask(who: Name, session: OwnedSession): Promise<number> {
    const requestId = ++this.count;
    const params = { name: 'ask', arguments: { marker: this.marker(who) } };
    const message = { ...JSON_RPC, id: requestId, method: 'tools/call', params };
    const response = await post(
      this.server.url,
      JSON.stringify(message),
      this.headers(who, session),
      this.connections.signal,
    );
    if (response.status !== 200) {
      this.heard[who] += await response.text();
      return response.status;
    }
    let asked!: (askId: string) => void;
    const askId = new Promise<string>((resolve) => (asked = resolve));
    const ended = this.hear(who, response, (text) => {
      const found = /"id":"(elicitation\/create:[^"]+)","method"/.exec(text)?.[1];
      if (found !== undefined) asked(found);
    });
    this.questions.push({ session, requestId, askId: await askId, open: true, ended });
    return response.status;
  }

  /** Opens the stream of a session, or resumes one. */
  async listen(who: Name, session: OwnedSession, lastEventId?: string): Promise<number> {
    const response = await fetch(this.server.url, {
      headers: {
        ...this.headers(who, session),
        accept: 'text/event-stream',
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      },
      signal: this.connections.signal,
    });
    if (response.status !== 200) {
      this.heard[who] += await response.text();
      return response.status;
    }
    const events: string[] = [];
    this.listening.push({ session, events, ended: this.hear(who, response, (text) => events.push(text)) });
    return response.status;
  }

  async end(who: Name, session: OwnedSession): Promise<number> {
    const response = await fetch(this.server.url, { method: 'DELETE', headers: this.headers(who, session) });
    this.heard[who] += await response.text();
    return response.status;
  }

  /** Streams of a session end with it, and calls with them. */
  async hearTheEndOf(session: OwnedSession): Promise<void> {
    session.ended = true;
    for (const question of this.questions) if (question.session === session) question.open = false;
    const streams = [...this.questions, ...this.listening].filter((stream) => stream.session === session);
    await Promise.all(streams.map(({ ended }) => ended));
  }

  /** Calls in the era without sessions. A round that asks is kept. */
  async call(who: Name, marker: string, retry: Json = {}): Promise<Json> {
    const params = { name: 'ask', arguments: { marker }, ...retry };
    const headers = this.server.authorization(who);
    const response = await statelessRequest(this.server.url, 'tools/call', params, { headers, meta: ASKABLE });
    const text = await response.text();
    this.heard[who] += text;
    // What takes a moment comes as a stream.
    const json = text.startsWith('{') ? text : (/^data: (.+)$/m.exec(text)?.[1] ?? '');
    const answer = JSON.parse(json) as { result?: { requestState?: string } };
    const requestState = answer.result?.requestState;
    if (requestState !== undefined) this.rounds.push({ owner: who, marker, requestState });
    return answer;
  }

  /** Says that the note of somebody has changed. */
  touch(owner: Name): Promise<void> {
    return this.server.registry.resourceUpdated(`notes://fixed/${owner}`);
  }

  /** Neither has heard anything of the other. */
  expectApart(): void {
    for (const name of NAMES) {
      const other = name === 'alice' ? 'bob' : 'alice';
      expect(this.heard[name]).not.toContain(`of-${other}-`);
      expect(this.heard[name]).not.toContain(`updated","params":{"uri":"notes://fixed/${other}`);
      for (const { id, owner } of this.sessions) if (owner === other) expect(this.heard[name]).not.toContain(id);
    }
  }

  /** Ends all that is open. */
  async close(): Promise<void> {
    for (const session of this.sessions) if (!session.ended) await this.end(session.owner, session);
    this.connections.abort();
    await Promise.all([...this.questions, ...this.listening].map(({ ended }) => ended));
  }

  private headers(who: Name, session: OwnedSession): Record<string, string> {
    return this.server.headersOn(session, who);
  }

  private async hear(who: Name, response: Response, listener: (text: string) => void): Promise<void> {
    try {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        this.heard[who] += chunk;
        for (const [, id = ''] of chunk.matchAll(/^id: (.+)$/gm)) this.eventIds.push({ owner: who, id });
        listener(chunk);
      }
    } catch {
      // Cut, by us at the end.
    }
  }
}
