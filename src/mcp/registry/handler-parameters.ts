import { ROUTE_ARGS_METADATA, RouteParamtypes } from '@nestjs/common/internal';
import { McpCall } from '../protocol/mcp-call.js';

/** Key under which Nest's context creator finds the parameters of a handler, in the form it knows from routes. */
export const MCP_ARGS_METADATA = 'rookery:args';

interface RouteParameter {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes?: readonly unknown[];
}

export interface HandlerParameters {
  /** Index of the parameter that receives the input as a whole, or -1. */
  readonly input: number;
  /** Class that the parameter with the whole input is declared with, if the compiler left its name. */
  readonly inputType: unknown;
  /** True if a Nest parameter decorator reads the input or a part of it. */
  readonly readsInput: boolean;
  /** Index of the parameter that receives the call, or -1. */
  readonly call: number;
  /** True if some parameter is filled by a Nest parameter decorator. */
  readonly decorated: boolean;
}

/**
 * Finds out which parameter of a method receives what: a parameter declared as `McpCall` the call, one with a Nest
 * parameter decorator what that says, the first other one the input, the one after it the call.
 * Writes what it found where Nest's context creator reads it.
 */
export function resolveParameters(type: Function, methodName: string, method: Function): HandlerParameters {
  const declared = (Reflect.getMetadata('design:paramtypes', type.prototype as object, methodName) ?? []) as unknown[];
  const decorated = (Reflect.getMetadata(ROUTE_ARGS_METADATA, type, methodName) ?? {}) as Record<
    string,
    RouteParameter
  >;
  const taken = new Set(Object.values(decorated).map(({ index }) => index));
  const count = Math.max(declared.length, method.length, ...[...taken].map((index) => index + 1), 0);

  const free = Array.from({ length: Math.max(count, taken.size === 0 ? 2 : count) }, (_, index) => index).filter(
    (index) => !taken.has(index),
  );
  const call = free.find((index) => declared[index] === McpCall) ?? free[1] ?? -1;
  const input = free.find((index) => index !== call) ?? -1;

  const metadata: Record<string, RouteParameter> = { ...decorated };
  if (input >= 0) metadata[`${RouteParamtypes.BODY}:${input}`] = { index: input, pipes: [] };
  if (call >= 0) metadata[`${RouteParamtypes.REQUEST}:${call}`] = { index: call, pipes: [] };
  Reflect.defineMetadata(MCP_ARGS_METADATA, metadata, type, methodName);

  const readers = Object.entries(decorated).filter(([key]) => INPUT_PARAMETERS.has(Number(key.split(':')[0])));
  const whole = input >= 0 ? input : readers.find(([, { data }]) => typeof data !== 'string')?.[1].index;
  return {
    input,
    inputType: whole === undefined ? undefined : declared[whole],
    readsInput: readers.length > 0,
    call,
    decorated: taken.size > 0,
  };
}

/** Parameters of a route that a tool takes from its input: `@Body()`, `@Query()`, `@Param()`. */
const INPUT_PARAMETERS: ReadonlySet<number> = new Set([
  RouteParamtypes.BODY,
  RouteParamtypes.QUERY,
  RouteParamtypes.PARAM,
]);

/** The value of a parameter that carries one of Nest's own decorators, such as `@Body()`, `@Param('id')`, `@Headers()`. */
export function valueOfParameter(type: number, data: unknown, input: unknown, call: McpCall): unknown {
  switch (type) {
    case RouteParamtypes.BODY:
    case RouteParamtypes.QUERY:
    case RouteParamtypes.PARAM:
      return typeof data === 'string' ? (input as Record<string, unknown> | undefined)?.[data] : input;
    case RouteParamtypes.HEADERS:
      return typeof data === 'string' ? call.headers[data.toLowerCase()] : call.headers;
    case RouteParamtypes.REQUEST:
      return call;
    default:
      return undefined;
  }
}
