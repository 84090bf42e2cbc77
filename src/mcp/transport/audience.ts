import type { AccessControl } from '../policy/access-control.js';
import type { Principal } from '../protocol/principal.js';
import type { MatchedResource, McpRegistry } from '../registry/mcp-registry.js';
import type { Change } from '../session/change-bus.port.js';

interface AudienceParts {
  readonly access: AccessControl;
  readonly registry: McpRegistry;
}

/** What may wait for a policy, on one stream. */
const MAX_WAITING = 1_000;

/** What one caller may hear of, decided at the moment at which there is something to hear. */
export class Audience {
  /** What waits its turn; made when something has to. */
  private tasks: (() => void | Promise<void>)[] | undefined;
  private running = false;
  private closed = false;

  /** @param overrun is told, once, that a policy is too slow for what there is to tell: some of it was not told */
  constructor(
    private readonly parts: AudienceParts,
    private readonly principal: Principal,
    private readonly overrun: () => void = () => undefined,
  ) {}

  /**
   * Whether the caller may hear of the changes of a resource: it may if it may read it. As far as it must not learn
   * that there is such a resource, there is none.
   * @throws McpError when the caller may see it but not read it, or has not said who it is
   */
  async mayFollow(uri: string): Promise<boolean> {
    const { access, registry } = this.parts;
    for (const { resource, variables } of registry.matchResources(uri)) {
      const decision = await access.decide(resource, this.principal, variables);
      if (decision.effect === 'allow') return true;
      if (decision.effect === 'refuse') throw decision.error;
    }
    const refusal = access.refuseUnknown(this.principal);
    if (refusal) throw refusal;
    return false;
  }

  /** Of several changes those that the caller may hear of. */
  async only<T extends Change>(changes: readonly T[]): Promise<T[]> {
    const heard: T[] = [];
    for (const change of changes) if (await this.hears(change)) heard.push(change);
    return heard;
  }

  /** Tells of a change, if the caller may hear of it; in the order of the calls, at once if no policy takes its time. */
  tell(change: Change, say: () => void): void {
    if (!this.running && !this.closed) return this.tellNow(change, say);
    this.inTurn(() => {
      const heard = this.hears(change);
      if (heard instanceof Promise) return heard.then((hears) => void (hears && say()));
      if (heard) say();
    });
  }

  /** Does something when all that was to be told before has been told. */
  inTurn(task: () => void | Promise<void>): void {
    if (this.closed) return;
    const tasks = (this.tasks ??= []);
    if (tasks.length >= MAX_WAITING) {
      this.close();
      return this.overrun();
    }
    tasks.push(task);
    if (!this.running) void this.run();
  }

  /** Nobody is there to be told any more. */
  close(): void {
    this.closed = true;
    if (this.tasks) this.tasks.length = 0;
  }

  /** As a task would, without making one: most often nobody has to be waited for. */
  private tellNow(change: Change, say: () => void): void {
    const heard = this.hears(change);
    if (heard instanceof Promise) return this.inTurn(() => heard.then((hears) => void (hears && say())));
    if (heard) say();
  }

  /** Runs up to the first task that takes its time before it returns. */
  private async run(): Promise<void> {
    const { tasks = [] } = this;
    this.running = true;
    try {
      for (let task = tasks.shift(); task; task = tasks.shift()) {
        const pending = task();
        // What fails was not told, and whoever could not be asked has not agreed.
        if (pending) await pending.catch(() => undefined);
      }
    } finally {
      this.running = false;
    }
  }

  /** Lists tell nothing but that they may have changed. */
  private hears(change: Change): boolean | Promise<boolean> {
    if (change.kind !== 'resource') return true;
    const { access, registry } = this.parts;
    // What is registered nowhere belongs to nobody: only where all is open may everyone hear of it.
    if (access.isOpenToAll && registry.matchResources(change.uri).next().done) return true;
    return this.mayRead(registry.matchResources(change.uri));
  }

  private mayRead(matches: Iterator<MatchedResource>): boolean | Promise<boolean> {
    for (let match = matches.next(); !match.done; match = matches.next()) {
      const { resource, variables } = match.value;
      const decision = this.parts.access.decide(resource, this.principal, variables);
      if (decision instanceof Promise) {
        return decision.then(({ effect }) => (effect === 'hide' ? this.mayRead(matches) : effect === 'allow'));
      }
      if (decision.effect !== 'hide') return decision.effect === 'allow';
    }
    return false;
  }
}
