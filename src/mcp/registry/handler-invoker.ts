import { HttpException, ValidationPipe } from '@nestjs/common';
import type { PipeTransform } from '@nestjs/common';
import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  RouteParamtypes,
} from '@nestjs/common/internal';
import { ContextIdFactory, ModuleRef } from '@nestjs/core';
import type { ApplicationConfig, ContextId, ExternalContextCreator } from '@nestjs/core';
import type { ExternalExceptionsHandler } from '@nestjs/core/exceptions/external-exceptions-handler.js';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { isObservable, lastValueFrom } from 'rxjs';
import { CallSuspended } from '../protocol/interruptions.js';
import type { McpCall } from '../protocol/mcp-call.js';
import { goOn } from '../protocol/now-or-later.js';
import { isThenable } from '../protocol/thenable.js';
import type { CompiledSchema, Validation } from '../schema/compiled-schema.js';
import type { Invoke } from './capability.js';
import { MCP_ARGS_METADATA, type HandlerParameters, valueOfParameter } from './handler-parameters.js';
import { InvalidArgumentsError } from './invalid-arguments.error.js';

/** The context type guards, interceptors and filters see in `getType()`. */
export const MCP_CONTEXT_TYPE = 'mcp';

type Handler = (...args: unknown[]) => unknown;
type Instance = Record<string, Handler>;

/** A method that carries an MCP decorator, and where Nest keeps its instance. */
export interface HandlerSite {
  readonly wrapper: InstanceWrapper;
  readonly methodName: string;
  readonly parameters: HandlerParameters;
}

/**
 * Builds, at boot, the function that runs a handler as Nest would run a route of a controller. A handler without
 * enhancers, decorated parameters or scoped dependencies is called directly.
 */
export class HandlerInvokerFactory {
  constructor(private readonly contexts: ExternalContextCreator) {}

  create(site: HandlerSite, input: CompiledSchema | undefined): Invoke {
    if (!site.wrapper.isDependencyTreeStatic()) return this.scoped(site, input);
    const instance = site.wrapper.instance as Instance;
    return this.isBare(site) ? bare(instance, site, input) : this.piped(instance, site, input);
  }

  /** The whole pipeline around one instance. */
  private piped(
    instance: Instance,
    site: HandlerSite,
    input: CompiledSchema | undefined,
    contextId?: ContextId,
  ): Invoke {
    const method = instance[site.methodName] as Handler;
    const run = mcpContexts(this.contexts, site.wrapper, input).create(
      instance,
      method,
      site.methodName,
      MCP_ARGS_METADATA,
      PARAMS_FACTORY,
      contextId,
      site.wrapper.id,
      { guards: true, interceptors: true, filters: true },
      MCP_CONTEXT_TYPE,
    );
    // The call comes first, where guards written for routes look for the request: what they find there must not be
    // the arguments, which the caller makes up.
    return async (value, call) => unwrapped(await run(call, value));
  }

  /** Resolves request-scoped and durable providers for each call; `REQUEST` is the call. */
  private scoped(site: HandlerSite, input: CompiledSchema | undefined): Invoke {
    const { wrapper } = site;
    const moduleRef = wrapper.host?.getProviderByKey<ModuleRef>(ModuleRef)?.instance;
    if (!moduleRef) throw new Error(`${wrapper.name} belongs to no module. Provide it in one.`);
    const durable = wrapper.isDependencyTreeDurable();
    return async (value, call) => {
      const contextId = ContextIdFactory.getByRequest(call) as ContextId & { payload?: object };
      const request = durable ? contextId.payload : requestOf(call, contextId.payload);
      moduleRef.registerRequestByContextId(request, contextId);
      const instance = await moduleRef.resolve<Instance>(wrapper.token as string, contextId, { strict: true });
      return this.piped(instance, site, input, contextId)(value, call);
    };
  }

  private isBare({ wrapper, methodName, parameters }: HandlerSite): boolean {
    if (parameters.decorated || parameters.input > 1 || parameters.call > 1) return false;
    const type = (wrapper.instance as object).constructor;
    const method = (wrapper.instance as Instance)[methodName] as Handler;
    const own = [GUARDS_METADATA, INTERCEPTORS_METADATA, PIPES_METADATA, EXCEPTION_FILTERS_METADATA].some(
      (key) => Reflect.hasMetadata(key, type) || Reflect.hasMetadata(key, method),
    );
    return !own && !this.hasGlobalEnhancers();
  }

  private hasGlobalEnhancers(): boolean {
    // Nest offers no public way to ask for them; the creators below all hold the one application configuration.
    const { config } = (this.contexts as unknown as CreatorInternals).guardsContextCreator;
    if (!config) return false;
    return (
      config.getGlobalGuards().length +
        config.getGlobalInterceptors().length +
        config.getGlobalPipes().length +
        config.getGlobalFilters().length +
        config.getGlobalRequestGuards().length +
        config.getGlobalRequestInterceptors().length +
        config.getGlobalRequestPipes().length +
        config.getGlobalRequestFilters().length >
      0
    );
  }
}

const PARAMS_FACTORY = {
  exchangeKeyForValue: (type: number, data: unknown, [call, input]: unknown[]) =>
    valueOfParameter(type, data, input, call as McpCall),
};

function bare(instance: Instance, { methodName, parameters }: HandlerSite, input: CompiledSchema | undefined): Invoke {
  const callFirst = parameters.call === 0;
  const invoke = (value: unknown, call: McpCall): unknown => {
    const handler = instance[methodName] as Handler;
    const result = callFirst ? handler.call(instance, call, value) : handler.call(instance, value, call);
    return unwrapped(result);
  };
  if (!input) return invoke;
  return (raw, call) => goOn(input.validate(raw), (checked) => invoke(accepted(checked), call));
}

/** Handlers, interceptors and filters may answer with an observable, as everywhere in Nest. */
function unwrapped(result: unknown): unknown {
  // A property that is missing is found out about faster than a class that is not the value's.
  if (typeof result !== 'object' || result === null || !('subscribe' in result)) return result;
  return isObservable(result) ? lastValueFrom(result) : result;
}

function accepted(checked: Validation): unknown {
  if (!checked.ok) throw new InvalidArgumentsError(checked.issues);
  return checked.value;
}

/**
 * The call, with what a durable provider's strategy adds to it. The call itself belongs to others, too, so that what is
 * added, or set later, is kept beside it; its methods are its own, since they look into what only a call has.
 */
function requestOf(call: McpCall, payload: object | undefined): object {
  if (!payload) return call;
  const beside = Object.create(null, Object.getOwnPropertyDescriptors(payload)) as object;
  return new Proxy(call, {
    has: (target, name) => name in beside || name in target,
    get: (target, name) => {
      if (name in beside) return Reflect.get(beside, name) as unknown;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' && name !== 'constructor' ? (value.bind(target) as unknown) : value;
    },
    set: (_target, name, value) => Reflect.set(beside, name, value),
  });
}

interface Parameter {
  readonly index: number;
  readonly type: unknown;
  readonly data: unknown;
  readonly metatype?: unknown;
  readonly pipes: PipeTransform[];
  readonly schema?: unknown;
  readonly extractValue: (...args: unknown[]) => unknown;
}

/** Parts of Nest's creator that are not in its types. */
interface CreatorInternals {
  readonly guardsContextCreator: { readonly config?: ApplicationConfig };
  filtersContextCreator: { create(...args: unknown[]): ExternalExceptionsHandler };
  getHostModuleKey: () => string;
}

/**
 * Nest's creator, with four differences: the input is validated first, where a route would run its first pipe; the
 * call passes no pipe, as `@Req()` passes none; what no filter of the team handles is not logged here, since the
 * dispatcher knows which errors are faults; and the module that holds the enhancers is the handler's own, since Nest
 * looks for it among providers alone and would run a controller without its guards.
 */
function mcpContexts(
  contexts: ExternalContextCreator,
  { host, name }: InstanceWrapper,
  input: CompiledSchema | undefined,
): ExternalContextCreator {
  if (!host) throw new Error(`${String(name)} belongs to no module. Provide it in one.`);
  const derived = Object.create(contexts) as ExternalContextCreator;
  (derived as unknown as CreatorInternals).getHostModuleKey = () => host.token;
  derived.createPipesFn = (pipes, params) => async (args, call, raw) => {
    const checked = input?.validate(raw);
    const value = checked ? accepted(checked instanceof Promise ? await checked : checked) : raw;
    const filled = params as unknown as Parameter[];
    const extracted = filled.map((parameter) => parameter.extractValue(call, value));
    const piped: Promise<void>[] = [];
    filled.forEach((parameter, position) => {
      const { index, type } = parameter;
      const given = extracted[position];
      const all = pipes.concat(parameter.pipes);
      if (type === RouteParamtypes.REQUEST || (all.length === 0 && !isThenable(given))) args[index] = given;
      else piped.push(throughPipes(contexts, given, parameter, all).then((result) => void (args[index] = result)));
    });
    if (piped.length > 0) await Promise.all(piped);
  };
  const { filtersContextCreator } = contexts as unknown as CreatorInternals;
  (derived as unknown as CreatorInternals).filtersContextCreator = {
    create: (...args) => {
      const filters = filtersContextCreator.create(...args);
      const quiet = Object.create(filters) as ExternalExceptionsHandler;
      quiet.next = (exception: Error, host) => {
        // Waiting for the client is no failure, so no filter is to turn it into a result.
        const result: unknown =
          exception instanceof CallSuspended ? undefined : filters.invokeCustomFilters(exception, host);
        if (result === undefined) throw exception;
        return result as Promise<unknown>;
      };
      return quiet;
    },
  };
  return derived;
}

async function throughPipes(
  contexts: ExternalContextCreator,
  value: unknown,
  { metatype, type, data, schema }: Parameter,
  pipes: PipeTransform[],
): Promise<unknown> {
  // A DTO is validated and an instance by now; a ValidationPipe would run its transforms a second time.
  const remaining = isInstance(value, metatype) ? pipes.filter((pipe) => !(pipe instanceof ValidationPipe)) : pipes;
  try {
    return (await contexts.getParamValue(value, { metatype, type, data, schema } as never, remaining)) as unknown;
  } catch (error) {
    if (error instanceof HttpException && error.getStatus() < 500) pipeRejections.add(error);
    throw error;
  }
}

function isInstance(value: unknown, metatype: unknown): boolean {
  return typeof metatype === 'function' && metatype !== Object && value instanceof metatype;
}

const pipeRejections = new WeakSet<HttpException>();

/**
 * What a team's own pipe said against the arguments, if that is where the error comes from: like a schema's issues it
 * is meant for the caller, while the same exception thrown by a handler is not.
 */
export function pipeRejection(error: unknown): InvalidArgumentsError | undefined {
  if (!(error instanceof HttpException) || !pipeRejections.has(error)) return undefined;
  const response = error.getResponse();
  const said = typeof response === 'string' ? response : (response as { message?: unknown }).message;
  const messages = (Array.isArray(said) ? said : [said ?? error.message]).map(String);
  return new InvalidArgumentsError(
    messages.map((message) => ({ path: '', message })),
    { cause: error },
  );
}
