import * as cv from 'class-validator';
import type { JsonSchema } from '../protocol/schema-source.js';
import {
  type Constraint,
  constraintsOf,
  type Dto,
  hasConstraints,
  isConditional,
  isCopiedAsIs,
  isOptional,
  reflectedType,
  typeOf,
} from './dto-metadata.js';
import { guarantees, isGenuine, isScalar } from './exact-constraints.js';
import { isJsonObject } from './json.js';
import { compileCode } from './schema-code.js';

type Values = Record<string, unknown>;

/** Makes the instance of a value that the gate has accepted; `undefined` where only class-validator can decide. */
export type MakeInstance = (value: unknown) => object | undefined;

/** What is left to do for a property after its value was copied over. */
interface Step {
  readonly name: string;
  readonly isOptional: boolean;
  /** The value of an instance without the property, if it needs no further check. */
  readonly initial: unknown;
  /** An instance or a list of its own for one of the caller's; `undefined` where class-validator must decide. */
  readonly own: ((value: unknown) => unknown) | undefined;
  /** Constraints that the schema does not guarantee. */
  readonly constraints: readonly Check[];
}

type Check = (value: unknown, object: object) => boolean;

/** Equal to no value: an initialiser whose result nobody can know before. */
const UNKNOWN = Symbol('unknown');

/**
 * Compiles what class-transformer and class-validator do for a value that fits the schema of the gate, if that is no
 * more than an instance can be made by: values are copied as they are, and each constraint is either guaranteed by the
 * schema or class-validator's own, which is then asked itself.
 *
 * @returns `undefined` for a class that needs both libraries
 */
export function exactInstance(dto: Dto, gate: JsonSchema): MakeInstance | undefined {
  const { properties, additionalProperties } = gate as { properties?: JsonSchema; additionalProperties?: unknown };
  const constraints = constraintsOf(dto);
  if (!properties || additionalProperties !== false || !isCopiedAsIs(dto, 'input')) return undefined;
  const samples = [new dto(), new dto()] as [Values, Values];
  if (!samples.every((sample) => isPlain(sample, dto, constraints))) return undefined;

  const steps: Step[] = [];
  for (const [name, list] of constraints) {
    const schema = properties[name];
    if (!isJsonObject(schema)) return undefined;
    const step = stepOf({ dto, name, list, schema, samples });
    if (!step) return undefined;
    if (step.own || step.constraints.length > 0 || !isRequired(gate, name)) steps.push(step);
  }
  const names = [...constraints.keys()];
  // Fields that the constructor has made have their order already; others follow the caller's.
  const isComplete = names.every((name) => Object.hasOwn(samples[0], name));
  const assign = isComplete ? assigner(dto, names) : (raw: Values) => Object.assign(new dto() as Values, raw);
  return (value) => finished(assign(value as Values), steps, value as Values);
}

/** Straight code, which is several times as fast as a loop: each class has objects of one known shape. */
function assigner(dto: Dto, names: readonly string[]): (raw: Values) => Values {
  const lines = names
    .map((name) => JSON.stringify(name))
    .map((name) => `if (raw[${name}] !== undefined) instance[${name}] = raw[${name}];`);
  return compileCode({ Dto: dto }, `(raw) => { const instance = new Dto(); ${lines.join(' ')} return instance; }`);
}

function finished(instance: Values, steps: readonly Step[], raw: Values): object | undefined {
  for (const { name, isOptional, initial, own, constraints } of steps) {
    let value = instance[name];
    if (raw[name] === undefined) {
      if (!Object.is(value, initial)) return undefined;
      continue;
    }
    if (value === null && isOptional) continue;
    if (own) {
      value = own(value);
      if (value === undefined) return undefined;
      instance[name] = value;
    }
    for (const holds of constraints) if (!holds(value, instance)) return undefined;
  }
  return instance;
}

/** Whether a new instance is one that values can be assigned to, and holds nothing that is not declared. */
function isPlain(sample: Values, dto: Dto, constraints: ReadonlyMap<string, unknown>): boolean {
  if (Object.getPrototypeOf(sample) !== dto.prototype || sample.constructor !== dto) return false;
  const own = Object.entries(Object.getOwnPropertyDescriptors(sample));
  return (
    Object.isExtensible(sample) &&
    own.every(([, { value, writable, enumerable }]) => writable && enumerable && typeof value !== 'function') &&
    own.every(([name, { value }]) => constraints.has(name) || value === undefined) &&
    [...constraints.keys()].every((name) => !(name in dto.prototype))
  );
}

function isRequired({ required }: JsonSchema, name: string): boolean {
  return Array.isArray(required) && required.includes(name);
}

interface Property {
  readonly dto: Dto;
  readonly name: string;
  readonly list: readonly Constraint[];
  readonly schema: JsonSchema;
  readonly samples: readonly [Values, Values];
}

function stepOf({ dto, name, list, schema: given, samples }: Property): Step | undefined {
  const optional = isOptional(list);
  const schema = optional ? withoutNull(given) : given;
  const own = ownValue(dto, name, schema);
  if (own === NEVER || isConditional(list) || list.some(({ groups }) => groups && groups.length > 0)) return undefined;

  const asked = list.filter(({ type }) => type === cv.ValidationTypes.CUSTOM_VALIDATION || type === cv.IS_DEFINED);
  const others = list.filter((constraint) => !asked.includes(constraint));
  if (!others.every(({ type }) => DECIDED_ELSEWHERE.has(type))) return undefined;
  if (!asked.every(isBuiltIn)) return undefined;

  const [initial, again] = [samples[0][name], samples[1][name]];
  const isNothing = initial === undefined || initial === null;
  const isValid = () => !own && typeof initial !== 'object' && asked.every((one) => checkOf(one)(initial, samples[0]));
  const isKnown = Object.is(initial, again) && (isNothing ? optional : isValid());
  return {
    name,
    isOptional: optional,
    initial: isKnown ? initial : UNKNOWN,
    own,
    constraints: asked.filter((one) => !guarantees(schema, one) || !isGenuine(one)).map(checkOf),
  };
}

/** Decorators that check nothing by themselves: the schema and the steps do what they ask for. */
const DECIDED_ELSEWHERE: ReadonlySet<string> = new Set([
  cv.ValidationTypes.WHITELIST,
  cv.ValidationTypes.CONDITIONAL_VALIDATION,
  cv.ValidationTypes.NESTED_VALIDATION,
]);

/** The names of class-validator's own constraints. They answer at once and without side effects. */
const BUILT_IN: ReadonlySet<unknown> = new Set(
  Object.entries(cv).flatMap(([name, value]) => (/^[A-Z][A-Z0-9_]+$/.test(name) ? [value] : [])),
);

function isBuiltIn({ constraintCls, constraints }: Constraint): boolean {
  const [registered, ...more] = cv.getMetadataStorage().getTargetValidatorConstraints(constraintCls);
  if (!registered || more.length > 0 || registered.async || !BUILT_IN.has(registered.name)) return false;
  // A sticky pattern remembers where it has last matched, so that it must not be asked twice.
  return !constraints?.some((one: unknown) => one instanceof RegExp && one.sticky);
}

/** Asks a constraint as class-validator does. */
function checkOf({ constraintCls, constraints, each, propertyName: property }: Constraint): Check {
  const { instance } = cv.getMetadataStorage().getTargetValidatorConstraints(constraintCls)[0]!;
  return (value, object) => {
    const details = { value, object, property, constraints, targetName: object.constructor.name };
    if (!each || !Array.isArray(value)) return instance.validate(value, details) === true;
    return value.every((element) => instance.validate(element, details) === true);
  };
}

const NEVER = (): undefined => undefined;

/** How the handler gets a value of its own: `undefined` for one that cannot change, NEVER if it is for class-transformer. */
function ownValue(dto: Dto, name: string, schema: JsonSchema): Step['own'] {
  const declared = typeOf(dto, name);
  const { type, items } = schema as { type?: unknown; items?: unknown };
  if (!declared) {
    if (isScalar(schema)) return undefined;
    return type === 'array' && isScalar(items) ? (value) => (value as unknown[]).slice() : NEVER;
  }
  if (!hasConstraints(declared.type)) return NEVER;
  const isList = type === 'array';
  const element = isList ? items : schema;
  if (!isJsonObject(element) || element['type'] !== 'object') return NEVER;
  if (isList && ![Array, Object, undefined].includes(reflectedType(dto, name) as never)) return NEVER;
  const nested = exactInstance(declared.type, element);
  if (!nested) return NEVER;
  return isList ? (value) => eachOf(value as unknown[], nested) : nested;
}

function eachOf(values: readonly unknown[], make: MakeInstance): object[] | undefined {
  const instances: object[] = [];
  for (const value of values) {
    const instance = make(value);
    if (!instance) return undefined;
    instances.push(instance);
  }
  return instances;
}

/** The schema of a value that is not null: to `@IsOptional`, null is as good as nothing. */
function withoutNull(schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema;
  return {
    ...schema,
    ...(Array.isArray(type) && type.length === 2 && type[1] === 'null' ? { type: type[0] as unknown } : {}),
    ...(Array.isArray(values) ? { enum: values.filter((value) => value !== null) } : {}),
  };
}
