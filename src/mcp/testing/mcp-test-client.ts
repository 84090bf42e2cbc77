import type {
  CallToolResult,
  CompleteResult,
  GetPromptResult,
  LoggingLevel,
  Prompt,
  PromptReference,
  ReadResourceResult,
  Resource,
  ResourceTemplateReference,
  ResourceTemplateType,
  SubscriptionFilter,
  Tool,
} from '@modelcontextprotocol/server';
import { type Revision, isSessionRevision } from '../protocol/revisions.js';
import type { JsonObject } from '../transport/json-rpc.js';
import { ClientHandlers, type ElicitHandler, type RootsHandler, type SampleHandler } from './client-handlers.js';
import {
  type McpTestClientOptions,
  type McpTestRequestOptions,
  type ProgressHandler,
  revisionOf,
} from './client-options.js';
import {
  NotificationLog,
  type NotificationMatcher,
  type TestNotification,
  type WaitOptions,
} from './notification-log.js';
import { RequestDriver } from './request-driver.js';
import { withoutSubscriptionId } from './results.js';
import type { RunningCall } from './running-call.js';
import { SessionTestWire } from './session-test-wire.js';
import { StatelessTestWire } from './stateless-test-wire.js';
import type { Listening, TestWire } from './test-wire.js';

/**
 * A client for tests that speaks real HTTP, in either era, and answers the same in both: a test written once runs in
 * each. In a session it says `initialize` before its first request.
 *
 * @example
 * ```ts
 * const client = app.client({ era: 'session', scopes: ['payments:refund'] }).onElicit(() => ({ confirmed: true }));
 * expect(await client.call('refundOrder', { orderId: 'ORD-000123' })).toMatchObject({
 *   structuredContent: { refunded: 4200 },
 * });
 * ```
 */
export class McpTestClient {
  /** The revision that it speaks. */
  readonly revision: Revision;
  /** Every notification that it has received, in both eras the same: without the id of a subscription. */
  readonly notifications = new NotificationLog();
  private readonly handlers = new ClientHandlers();
  private readonly wire: TestWire;
  private readonly driver: RequestDriver;
  private readonly subscriptions = new Map<string, Promise<Listening>>();
  /** True once a session knows what the client can do. */
  private introduced = false;
  private closing: Promise<void> | undefined;

  /** Made by `McpTestApp.client`; by itself it serves to call a server that runs elsewhere. */
  constructor(
    url: string,
    private readonly options: McpTestClientOptions = {},
  ) {
    this.revision = revisionOf(options);
    const target = {
      url,
      headers: options.headers ?? {},
      clientInfo: { name: options.name ?? 'rookery-test-client', version: '1.0.0' },
      capabilities: () => {
        this.introduced = true;
        return options.capabilities ?? this.handlers.capabilities(this.revision);
      },
      heard: (method: string, params: JsonObject) => this.hear(method, params),
      answer: (method: string, params: JsonObject) => this.handlers.answer(method, params),
    };
    this.wire = isSessionRevision(this.revision)
      ? new SessionTestWire(target, this.revision)
      : new StatelessTestWire(target);
    this.driver = new RequestDriver(this.wire, this.handlers);
  }

  /**
   * Answers questions to the user. Return the fields of the form, or `{ action: 'decline' }`, `{ action: 'cancel' }`,
   * or, for a form with a field of that name and for a page to visit, `{ action: 'accept', content }`.
   *
   * @throws Error when the session is open already without it
   */
  onElicit(handler: ElicitHandler): this {
    this.requireUnintroduced('onElicit', this.handlers.elicit);
    this.handlers.elicit = handler;
    return this;
  }

  /** Answers as the client's model. @throws Error when the session is open already without it */
  onSample(handler: SampleHandler): this {
    this.requireUnintroduced('onSample', this.handlers.sample);
    this.handlers.sample = handler;
    return this;
  }

  /** Names the client's root directories. @throws Error when the session is open already without it */
  onRoots(handler: RootsHandler): this {
    this.requireUnintroduced('onRoots', this.handlers.roots);
    this.handlers.roots = handler;
    return this;
  }

  /** Asks for progress of every call, and hears of it. */
  onProgress(handler: ProgressHandler): this {
    this.driver.onProgress = handler;
    return this;
  }

  /**
   * Calls a tool, answering what it asks on the way.
   * @throws McpTestError when the answer is a JSON-RPC error; what a handler of this client throws
   */
  call(name: string, args: object = {}, options: McpTestRequestOptions = {}): RunningCall<CallToolResult> {
    return this.driver.drive('tools/call', { name, arguments: args }, options);
  }

  /** Calls a tool a single time and resolves with its result as it came, `input_required` included. */
  callRaw(name: string, args: object = {}, options: McpTestRequestOptions = {}): RunningCall<JsonObject> {
    return this.request('tools/call', { name, arguments: args }, options);
  }

  /** Reads a resource, answering what it asks on the way. @throws McpTestError */
  read(uri: string, options: McpTestRequestOptions = {}): RunningCall<ReadResourceResult> {
    return this.driver.drive('resources/read', { uri }, options);
  }

  /** Gets a prompt, answering what it asks on the way. @throws McpTestError */
  prompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
    options: McpTestRequestOptions = {},
  ): RunningCall<GetPromptResult> {
    return this.driver.drive('prompts/get', { name, arguments: args }, options);
  }

  /**
   * Completes an argument of a prompt or a variable of a resource template.
   * @param context arguments that are filled in already
   * @throws McpTestError
   */
  async complete(
    ref: PromptReference | ResourceTemplateReference,
    argument: { readonly name: string; readonly value: string },
    context?: Readonly<Record<string, string>>,
  ): Promise<CompleteResult['completion']> {
    const params = { ref, argument, ...(context && { context: { arguments: context } }) };
    const result = await this.request('completion/complete', params);
    return result['completion'] as CompleteResult['completion'];
  }

  /** All pages of the list. @throws McpTestError */
  listTools(): Promise<Tool[]> {
    return this.driver.list('tools/list', 'tools');
  }

  /** All pages of the list. @throws McpTestError */
  listResources(): Promise<Resource[]> {
    return this.driver.list('resources/list', 'resources');
  }

  /** All pages of the list. @throws McpTestError */
  listResourceTemplates(): Promise<ResourceTemplateType[]> {
    return this.driver.list('resources/templates/list', 'resourceTemplates');
  }

  /** All pages of the list. @throws McpTestError */
  listPrompts(): Promise<Prompt[]> {
    return this.driver.list('prompts/list', 'prompts');
  }

  /** Sends any request and resolves with its result as it came. @throws McpTestError */
  request(method: string, params: JsonObject = {}, options: McpTestRequestOptions = {}): RunningCall<JsonObject> {
    return this.driver.once(method, params, options);
  }

  /** Asks for log messages of this level and above, with every call from now on. */
  async setLogLevel(level: LoggingLevel): Promise<void> {
    await this.wire.setLogLevel(level);
  }

  /** Subscribes to a resource; its updates come as `notifications/resources/updated`. @throws McpTestError */
  async subscribe(uri: string): Promise<void> {
    let subscription = this.subscriptions.get(uri);
    if (!subscription) {
      subscription = this.wire.listen({ resourceSubscriptions: [uri] });
      this.subscriptions.set(uri, subscription);
      subscription.catch(() => this.subscriptions.delete(uri));
    }
    await subscription;
  }

  /** Takes a subscription back. Does nothing if there is none. */
  async unsubscribe(uri: string): Promise<void> {
    const subscription = this.subscriptions.get(uri);
    this.subscriptions.delete(uri);
    await (await subscription)?.close();
  }

  /**
   * Listens for changes of lists and resources. In a session every change of a list comes, whatever the filter says of
   * them, those since `initialize` included.
   * @throws McpTestError
   */
  listen(filter: SubscriptionFilter): Promise<Listening> {
    return this.wire.listen(filter);
  }

  /**
   * Waits for a notification, or takes one that is there already. Each is handed out once: a second wait is for the
   * next one.
   *
   * @throws Error telling what did come, when it has not come within the time
   * @example
   * ```ts
   * await client.waitForNotification('notifications/resources/updated', ({ uri }) => uri === 'orders://7');
   * ```
   */
  waitForNotification(method: string, matches?: NotificationMatcher, options?: WaitOptions): Promise<TestNotification> {
    return this.notifications.waitFor(method, matches, options);
  }

  /** Ends the session, the streams and all calls that run. Closing the app does it too. Never rejects. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async closeAll(): Promise<void> {
    this.driver.abandon();
    this.notifications.close();
    await this.wire.close();
  }

  private hear(method: string, params: JsonObject): void {
    this.notifications.add({ method, params: withoutSubscriptionId(params) });
    if (method === 'notifications/progress') this.driver.heardProgress(params);
  }

  private requireUnintroduced(name: string, handler: unknown): void {
    if (handler || this.options.capabilities || !this.introduced || !isSessionRevision(this.revision)) return;
    throw new Error(`A session learns what its client can do when it opens. Call ${name}() before the first request.`);
  }
}
