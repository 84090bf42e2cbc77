import { Injectable } from '@nestjs/common';
import { DiscoveryService, ExternalContextCreator, MetadataScanner, ModuleRef } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { PolicyToken } from '../decorators/access-metadata.js';
import { type CapabilityMetadata, readCapabilities } from '../decorators/capability-metadata.js';
import type { AccessPolicy } from '../protocol/access-policy.port.js';
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
import { declaredRules } from './capability-rules.js';
import { HandlerInvokerFactory } from './handler-invoker.js';
import { type HandlerParameters, resolveParameters } from './handler-parameters.js';

/** Finds what the application offers to clients. It changes nothing and registers nothing. */
@Injectable()
export class CapabilityExplorer {
  private readonly invokers: HandlerInvokerFactory;

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly providers: ModuleRef,
    contexts: ExternalContextCreator,
  ) {
    this.invokers = new HandlerInvokerFactory(contexts);
  }

  /**
   * Reads every provider and controller and returns what their MCP decorators offer, compiled.
   * @throws Error naming class, method and fix when something cannot be served
   */
  explore(): AnyCapability[] {
    return [...this.discovery.getProviders(), ...this.discovery.getControllers()]
      .filter((wrapper) => isHost(wrapper))
      .flatMap((wrapper) => this.capabilitiesOf(wrapper));
  }

  private capabilitiesOf(wrapper: InstanceWrapper): AnyCapability[] {
    const prototype = Object.getPrototypeOf(wrapper.instance) as Record<string, Function> | null;
    if (!prototype || prototype === Object.prototype) return [];
    return this.scanner
      .getAllMethodNames(prototype)
      .flatMap((methodName) => this.ofMethod(wrapper, prototype, methodName));
  }

  private ofMethod(wrapper: InstanceWrapper, prototype: Record<string, Function>, methodName: string): AnyCapability[] {
    const method = prototype[methodName] as Function;
    const found = readCapabilities(prototype, methodName);
    if (found.length === 0) return [];

    const type = prototype.constructor;
    const parameters = resolveParameters(type, methodName, method);
    const origin = `${type.name}.${methodName}`;
    const rules = declaredRules(
      { module: wrapper.host?.metatype, prototype, methodName },
      (policy) => policyOf(policy, this.providers, origin),
      origin,
    );
    return found.map((metadata) =>
      createCapability(metadata, {
        origin,
        defaultName: methodName,
        defaultInput: inputSourceOf(metadata, parameters, method, origin),
        invoker: (input) => this.invokers.create({ wrapper, methodName, parameters }, input),
        rules,
      }),
    );
  }
}

/** Aliases and values without a prototype of their own hold no methods that another provider does not hold. */
function isHost(wrapper: InstanceWrapper): boolean {
  return !wrapper.isAlias && typeof wrapper.instance === 'object' && wrapper.instance !== null;
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

/** @throws Error when there is no such policy: what it was to guard must not be served */
function policyOf(token: PolicyToken, providers: ModuleRef, origin: string): AccessPolicy {
  const name = typeof token === 'function' ? token.name : String(token);
  let policy: AccessPolicy;
  try {
    policy = providers.get<AccessPolicy>(token, { strict: false });
  } catch (cause) {
    throw new Error(
      `${origin} requires the policy ${name}, which no module provides as a singleton. Add it to the providers of one.`,
      { cause },
    );
  }
  if (typeof (policy as Partial<AccessPolicy> | undefined)?.allows === 'function') return policy;
  throw new Error(`${origin} requires the policy ${name}, which has no method allows(). Implement AccessPolicy.`);
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
