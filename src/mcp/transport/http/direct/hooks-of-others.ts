import type { FastifyInstance } from 'fastify';

/** Hooks by which something is done with a request or its answer, or, at start, with the route it takes. */
const SEEN_BY_REQUESTS: ReadonlySet<string> = new Set([
  'onRequest',
  'preParsing',
  'preValidation',
  'preHandler',
  'preSerialization',
  'onSend',
  'onResponse',
  'onError',
  'onTimeout',
  'onRequestAbort',
  'onRoute',
]);

type AddHook = (this: Scope, name: string, hook: unknown) => FastifyInstance;

/**
 * Whether anybody but the platform has added a hook to Fastify through which requests go. In which part of the
 * application does not matter: to count one too many only means that requests take the longer way.
 */
export class HooksOfOthers {
  private found = false;
  private counting = true;
  /** Of routes that are not the platform's. */
  private readonly paths = new Set<string>();

  constructor(fastify: FastifyInstance) {
    const { paths } = this;
    fastify.addHook('onRoute', function (this: Scope, { url }) {
      if (!this[OURS]) paths.add(url);
    });
    const { addHook } = fastify as unknown as { readonly addHook: AddHook };
    const look = (scope: Scope, name: string): void => {
      if (this.counting && SEEN_BY_REQUESTS.has(name) && !scope[OURS]) this.found = true;
    };
    // Scopes within it inherit this.
    Object.assign(fastify, {
      addHook(this: Scope, name: string, hook: unknown) {
        look(this, name);
        return addHook.call(this, name, hook);
      },
    });
  }

  get exist(): boolean {
    return this.found;
  }

  /** Whether others have a route for a path, such as one for a version or a host. */
  serve(path: string): boolean {
    return this.paths.has(path);
  }

  add(): void {
    this.found = true;
  }

  /** Hooks that are added meanwhile, in this turn, do not count. */
  notCounting<T>(work: () => T): T {
    this.counting = false;
    try {
      return work();
    } finally {
      this.counting = true;
    }
  }

  /** Hooks of this scope and those within it do not count. */
  notCountingIn(scope: FastifyInstance): void {
    (scope as Scope)[OURS] = true;
  }
}

const OURS = Symbol('scope of the platform');
type Scope = FastifyInstance & { [OURS]?: true };
