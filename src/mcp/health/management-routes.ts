/** What one of the routes below answers. */
export interface ManagementAnswer {
  readonly status: number;
  /** Default `application/json; charset=utf-8`. */
  readonly contentType?: string;
  /** What is no text is sent as JSON. */
  readonly body: unknown;
}

export type ManagementHandler = () => ManagementAnswer | Promise<ManagementAnswer>;

/**
 * What whoever runs the server may ask it: health, metrics. With `McpOptions.management` these are served on a port of
 * their own, by a server that has nothing else, and answers before Nest's does and longer than that.
 *
 * A controller that serves such a route adds it here too, and puts {@link OffMainPortGuard} before itself.
 */
export class ManagementRoutes {
  private readonly handlers = new Map<string, ManagementHandler>();

  /** @param haveOwnPort whether the port of the MCP endpoint must not serve them */
  constructor(readonly haveOwnPort: boolean) {}

  /**
   * @param path exactly as it is asked for, such as `/metrics`
   * @throws Error when the path is taken
   */
  add(path: string, handler: ManagementHandler): void {
    if (this.handlers.has(path)) throw new Error(`There is a management route ${path} already.`);
    this.handlers.set(path, handler);
  }

  /** What answers there; the path is compared as it is, so that no spelling of another one leads here. */
  find(path: string): ManagementHandler | undefined {
    return this.handlers.get(path);
  }
}
