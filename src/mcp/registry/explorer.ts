import type { DiscoveryService, ExternalContextCreator, MetadataScanner } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { type CapabilityMetadata, readCapabilities } from '../decorators/capability-metadata.js';
import type { DtoClass, SchemaSource } from '../protocol/schema-source.js';
import { isDtoClass } from '../schema/schema-kind.js';
import type { AnyCapability } from './capability.js';
import {
  type CapabilitySource,
  createCompletion,
  createPrompt,
  createResource,
  createTool,
} from './capability-factory.js';
import { HandlerInvokerFactory } from './handler-invoker.js';
import { type HandlerParameters, resolveParameters } from './handler-parameters.js';

/**
 * Reads every provider and controller of the application and returns what their MCP decorators offer, compiled.
 * It changes nothing and registers nothing.
 *
 * @throws Error naming class, method and fix when something cannot be served
 */
export function exploreCapabilities(
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  contexts: ExternalContextCreator,
): AnyCapability[] {
  const invokers = new HandlerInvokerFactory(contexts);
  return [...discovery.getProviders(), ...discovery.getControllers()]
    .filter((wrapper) => isHost(wrapper))
    .flatMap((wrapper) => capabilitiesOf(wrapper, scanner, invokers));
}

/** Aliases and values without a prototype of their own hold no methods that another provider does not hold. */
function isHost(wrapper: InstanceWrapper): boolean {
  return !wrapper.isAlias && typeof wrapper.instance === 'object' && wrapper.instance !== null;
}

function capabilitiesOf(
  wrapper: InstanceWrapper,
  scanner: MetadataScanner,
  invokers: HandlerInvokerFactory,
): AnyCapability[] {
  const prototype = Object.getPrototypeOf(wrapper.instance) as Record<string, Function> | null;
  if (!prototype || prototype === Object.prototype) return [];
  return scanner.getAllMethodNames(prototype).flatMap((methodName) => {
    const method = prototype[methodName] as Function;
    const found = readCapabilities(method);
    if (found.length === 0) return [];

    const type = prototype.constructor;
    const parameters = resolveParameters(type, methodName, method);
    return found.map((metadata) => {
      const origin = `${type.name}.${methodName}`;
      return createCapability(metadata, {
        origin,
        defaultName: methodName,
        defaultInput: inputSourceOf(metadata, parameters, method, origin),
        invoker: (input) => invokers.create({ wrapper, methodName, parameters }, input),
      });
    });
  });
}

function createCapability(metadata: CapabilityMetadata, source: CapabilitySource): AnyCapability {
  switch (metadata.kind) {
    case 'tool':
      return createTool(metadata.options, source);
    case 'resource':
      return createResource(metadata.uri, metadata.options, source);
    case 'prompt':
      return createPrompt(metadata.options, source);
    case 'completion':
      return createCompletion(metadata.target, source);
  }
}

/** What the compiler leaves behind for interfaces, literals, arrays and primitives: no class to read a schema from. */
const NO_DTO: ReadonlySet<unknown> = new Set([
  Object,
  Array,
  String,
  Number,
  Boolean,
  Symbol,
  BigInt,
  Function,
  Promise,
]);

function declaredClass(type: unknown): DtoClass | undefined {
  return isDtoClass(type) && !NO_DTO.has(type) ? type : undefined;
}

/** The class the input parameter is declared with, where that is the schema; and the errors a compiler cannot see. */
function inputSourceOf(
  metadata: CapabilityMetadata,
  parameters: HandlerParameters,
  method: Function,
  origin: string,
): SchemaSource | undefined {
  if (metadata.kind === 'completion') return undefined;
  const given = metadata.options.input;
  const declared = declaredClass(parameters.inputType);

  if (given !== undefined) {
    if (declared && isDtoClass(given) && given !== declared && !(given.prototype instanceof declared)) {
      throw new Error(
        `${origin}: its input is declared as ${declared.name}, but the decorator says ${given.name}. ` +
          'Give both the same class, or leave `input` out.',
      );
    }
    return undefined;
  }
  if (declared) return declared;

  const takesInput = parameters.readsInput || (parameters.input >= 0 && method.length > parameters.input);
  if (takesInput && metadata.kind !== 'resource') {
    throw new Error(
      `${origin} takes an input whose type leaves no trace at runtime. Declare the parameter with a DTO class ` +
        '(imported as a value, not with `import type`, and with emitDecoratorMetadata on), or give `input` a schema.',
    );
  }
  return undefined;
}
