import 'reflect-metadata';
import { createRequire } from 'node:module';
import { TransformationType } from 'class-transformer';
import type { MetadataStorage } from 'class-transformer/types/MetadataStorage.js';
import { getMetadataStorage, ValidationTypes } from 'class-validator';
import type { DtoClass } from '../protocol/schema-source.js';
import { apiFieldOf } from './api-field.decorator.js';

/** A constructor that class-transformer can call. */
export type Dto = new () => object;

/** One class-validator decorator on one property. `name` is the constraint's, as `isInt`. */
export type Constraint = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/** Towards the handler, or back to the caller. */
export type Direction = 'input' | 'output';

// class-transformer exports no accessor for its metadata; its own documentation points at this file.
const { defaultMetadataStorage: transformer } = createRequire(import.meta.url)('class-transformer/cjs/storage') as {
  defaultMetadataStorage: MetadataStorage;
};

/** The decorators of a class and its parents by property, in order of declaration, groups ignored. */
export function constraintsOf(dto: DtoClass): ReadonlyMap<string, readonly Constraint[]> {
  const storage = getMetadataStorage();
  const byProperty = new Map<string, Constraint[]>();
  for (const constraint of storage.getTargetValidationMetadatas(dto, '', true, false)) {
    const name = storage.getTargetValidatorConstraints(constraint.constraintCls)[0]?.name ?? constraint.name;
    const list = byProperty.get(constraint.propertyName) ?? [];
    byProperty.set(constraint.propertyName, list);
    list.push({ ...constraint, ...(name === undefined ? {} : { name }) });
  }
  return byProperty;
}

/** True for a class with at least one class-validator decorator (`@ApiField` counts), its own or inherited. */
export function hasConstraints(value: unknown): value is Dto {
  return (
    typeof value === 'function' && getMetadataStorage().getTargetValidationMetadatas(value, '', true, false).length > 0
  );
}

/** `@IsOptional`: the property may be absent or null. */
export function isOptional(constraints: readonly Constraint[]): boolean {
  return constraints.some(({ type, name }) => type === ValidationTypes.CONDITIONAL_VALIDATION && name === 'isOptional');
}

/** `@ValidateIf`, or a `validateIf` option: the constraints hold only for some objects. */
export function isConditional(constraints: readonly Constraint[]): boolean {
  return constraints.some(
    ({ type, name, validateIf }) =>
      validateIf !== undefined || (type === ValidationTypes.CONDITIONAL_VALIDATION && name !== 'isOptional'),
  );
}

/** `@Allow` and nothing else: the property may be anything, or absent. */
export function isUnconstrained(dto: DtoClass, property: string, constraints: readonly Constraint[]): boolean {
  return (
    constraints.every(({ type }) => type === ValidationTypes.WHITELIST) &&
    !apiFieldOf(dto.prototype as object, property)
  );
}

/** The class a property was declared with: `String`, `Array`, `Object` for anything TypeScript cannot name. */
export function designType(dto: DtoClass, property: string): unknown {
  return Reflect.getMetadata('design:type', dto.prototype as object, property);
}

/** What `@Type` says about a property. */
export function typeOf(dto: DtoClass, property: string) {
  const metadata = transformer.findTypeMetadata(dto, property);
  return (
    metadata && {
      type: metadata.typeFunction?.() as unknown,
      discriminator: metadata.options?.discriminator,
      keepsDiscriminator: metadata.options?.keepDiscriminatorProperty === true,
    }
  );
}

/** True when a value on the wire is not what the decorators see: `@Transform`, or a coercion as `@Type(() => Number)`. */
export function isTransformed(dto: DtoClass, property: string): boolean {
  const { type } = typeOf(dto, property) ?? {};
  if (type === Number || type === String || type === Boolean) return true;
  return transformer.findTransformMetadatas(dto, property, TransformationType.PLAIN_TO_CLASS).length > 0;
}

/** The class a property with `@Type` was declared with, as class-transformer has it. */
export function reflectedType(dto: DtoClass, property: string): unknown {
  return transformer.findTypeMetadata(dto, property)?.reflectedType;
}

/**
 * True if class-transformer does no more in this direction than to copy the properties that have constraints. What it
 * does with the values of a property with `@Type` depends on that type.
 */
export function isCopiedAsIs(dto: DtoClass, direction: Direction): boolean {
  const type = direction === 'input' ? TransformationType.PLAIN_TO_CLASS : TransformationType.CLASS_TO_PLAIN;
  return (
    transformer.getStrategy(dto) === 'none' &&
    transformer.getExposedProperties(dto, type).length === 0 &&
    transformer.getExcludedProperties(dto, type).length === 0 &&
    [...constraintsOf(dto).keys()].every((property) => {
      const declared = transformer.findTypeMetadata(dto, property);
      const isConstant = !declared || (!declared.options?.discriminator && declared.typeFunction?.length === 0);
      return isConstant && transformer.findTransformMetadatas(dto, property, type).length === 0;
    })
  );
}

/** The property's name in JSON, which `@Expose({ name })` may change. */
export function wireName(dto: DtoClass, property: string): string {
  return transformer.findExposeMetadata(dto, property)?.options?.name ?? property;
}

/** False for a property that `@Exclude` hides in this direction, and for a computed one on the way in. */
export function isOnWire(dto: DtoClass, property: string, direction: Direction): boolean {
  if (direction === 'input' && isReadOnly(dto.prototype, property)) return false;
  const type = direction === 'input' ? TransformationType.PLAIN_TO_CLASS : TransformationType.CLASS_TO_PLAIN;
  if (transformer.getExcludedProperties(dto, type).includes(property)) return false;
  return (
    transformer.getStrategy(dto) !== 'excludeAll' || transformer.getExposedProperties(dto, type).includes(property)
  );
}

function isReadOnly(prototype: unknown, property: string): boolean {
  for (let owner = prototype; owner; owner = Object.getPrototypeOf(owner)) {
    const descriptor = Object.getOwnPropertyDescriptor(owner, property);
    if (descriptor) return descriptor.get !== undefined && descriptor.set === undefined;
  }
  return false;
}
