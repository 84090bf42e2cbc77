import { ValidationTypes } from 'class-validator';
import type { JsonSchema } from '../protocol/schema-source.js';
import { apiFieldOf } from './api-field.decorator.js';
import { applyJsonSchemaDecorator, constraintKeywords } from './constraint-keywords.js';
import {
  type Constraint,
  constraintsOf,
  designType,
  type Dto,
  hasConstraints,
  isConditional,
  isOptional,
  isTransformed,
  isUnconstrained,
  typeOf,
} from './dto-metadata.js';
import { isJsonObject } from './json.js';
import { mergeKeywords } from './merge-keywords.js';

/**
 * Who reads the schema: the caller, the receiver of a result, or the `gate`, the check of raw arguments before
 * class-validator sees them. The gate asks nothing that the decorators would not ask.
 */
export type View = 'input' | 'output' | 'gate';

/** A subtype of a discriminated union: the property that tells it, and its value. */
export interface Tag {
  readonly property: string;
  readonly value: string;
}

/** A property of a DTO, where it was found, and the way to the schema of a nested class. */
export interface DtoProperty {
  readonly dto: Dto;
  readonly name: string;
  readonly constraints: readonly Constraint[];
  readonly view: View;
  readonly where: string;
  readonly nested: (dto: Dto, tag?: Tag) => JsonSchema;
}

/** The JSON Schema of one property, without its default. */
export function propertySchema(property: DtoProperty): JsonSchema {
  const { dto, name, constraints, view } = property;
  const isOpen = isTransformed(dto, name) || isConditional(constraints) || isUnconstrained(dto, name, constraints);
  if (view === 'gate' && isOpen) return {};

  const keywords = asDeclared(property, constraints.map(constraintKeywords).reduce(mergeKeywords, {}));
  const shape = mergeKeywords(view === 'gate' ? withoutFormat(keywords) : keywords, structureOf(property));
  const typed = tidy(
    isTyped(shape) || isUnconstrained(dto, name, constraints) ? shape : mergeKeywords(declaredType(dto, name), shape),
  );
  const schema = {
    ...applyJsonSchemaDecorator(dto, name, { ...typed, ...swaggerDescription(dto, name) }),
    ...apiFieldOf(dto.prototype as object, name),
  };
  return view !== 'input' && isOptional(constraints) ? orNull(schema) : schema;
}

/** What `@Type` and `@ValidateNested` say about the shape of a property. */
function structureOf(property: DtoProperty): JsonSchema {
  const { dto, name, constraints } = property;
  const declared = typeOf(dto, name);
  const isNested = constraints.some(({ type }) => type === ValidationTypes.NESTED_VALIDATION);
  const field = `${property.where}: ${dto.name}.${name}`;
  if (declared?.type === Date) return contain(property, { type: 'string', format: 'date-time' });
  if (!declared && constraints.some(({ name: constraint }) => constraint === 'isDate') && !isTransformed(dto, name)) {
    throw new Error(
      `${field} has @IsDate(), but JSON carries dates as strings. Add @Type(() => Date), or use @IsDateString().`,
    );
  }
  if (hasConstraints(declared?.type) || declared?.discriminator) {
    if (!isNested)
      throw new Error(`${field} has @Type() with a nested DTO that nothing validates. Add @ValidateNested().`);
    return contain(property, declared.discriminator ? unionOf(property, field) : property.nested(declared.type as Dto));
  }
  if (isNested && !isTransformed(dto, name)) {
    throw new Error(
      `${field} has @ValidateNested(), but its class is unknown or has no decorators. Add @Type(() => TheNestedDto), and decorate that class.`,
    );
  }
  return {};
}

function unionOf({ dto, name, view, nested }: DtoProperty, field: string): JsonSchema {
  const { discriminator, keepsDiscriminator } = typeOf(dto, name);
  const { property, subTypes } = discriminator!;
  const oneOf = subTypes.map(({ value, name: tag }) => {
    if (!hasConstraints(value))
      throw new Error(`${field}: the subtype ${value.name} has no decorators. Decorate its properties.`);
    const isDeclared = constraintsOf(value).has(property);
    if (isDeclared && !keepsDiscriminator) {
      throw new Error(
        `${field}: class-transformer removes "${property}" before ${value.name}.${property} is validated. Set keepDiscriminatorProperty: true beside the discriminator.`,
      );
    }
    if (!isDeclared && keepsDiscriminator) {
      throw new Error(
        `${field}: keepDiscriminatorProperty keeps "${property}", which ${value.name} does not declare. Declare it there with @IsString().`,
      );
    }
    return nested(value, { property, value: tag });
  });
  return view === 'gate' ? { type: 'object', discriminator: { propertyName: property }, oneOf } : { oneOf };
}

/** Wraps the schema of an element in its container: array, set, map, or none. */
function contain({ dto, name, constraints }: DtoProperty, element: JsonSchema): JsonSchema {
  const container = designType(dto, name);
  if (container === Map) return { type: 'object', additionalProperties: element };
  const isList = container === Array || container === Set || constraints.some(({ each }) => each);
  return isList ? { type: 'array', items: element } : element;
}

/** Constraints on each element of a map speak of its values, which JSON keeps under property names. */
function asDeclared({ dto, name }: DtoProperty, keywords: JsonSchema): JsonSchema {
  if (designType(dto, name) !== Map || keywords['type'] !== 'array') return keywords;
  return { type: 'object', additionalProperties: keywords['items'] };
}

function declaredType(dto: Dto, name: string): JsonSchema {
  switch (designType(dto, name)) {
    case String:
      return { type: 'string' };
    case Number:
      return { type: 'number' };
    case Boolean:
      return { type: 'boolean' };
    case Array:
    case Set:
      return { type: 'array' };
    case Map:
      return { type: 'object' };
    default:
      return {};
  }
}

function isTyped(schema: JsonSchema): boolean {
  return ['type', 'enum', 'const', '$ref', 'oneOf'].some((keyword) => keyword in schema);
}

/** Drops what merging leaves behind: `items: {}`, and a `minLength` of @IsNotEmpty beside something that has no length. */
function tidy(schema: JsonSchema): JsonSchema {
  const { items, minLength, ...rest } = schema;
  const isText = schema['type'] === 'string' && !('enum' in schema);
  return {
    ...rest,
    ...(isJsonObject(items) && Object.keys(items).length > 0 ? { items: tidy(items) } : {}),
    ...(minLength !== undefined && isText ? { minLength } : {}),
  };
}

/** Formats are class-validator's to check: its rules for an e-mail address or a URL are not Ajv's. */
function withoutFormat({ format: _format, items, ...rest }: JsonSchema): JsonSchema {
  return isJsonObject(items) ? { ...rest, items: withoutFormat(items) } : rest;
}

function orNull(schema: JsonSchema): JsonSchema {
  const { type, enum: values } = schema;
  if (Object.keys(schema).length === 0) return schema;
  if (typeof type === 'string' && !('const' in schema || 'oneOf' in schema || '$ref' in schema)) {
    return {
      ...schema,
      type: [type, 'null'],
      ...(Array.isArray(values) ? { enum: [...(values as unknown[]), null] } : {}),
    };
  }
  return { anyOf: [schema, { type: 'null' }] };
}

/** `@ApiProperty` of @nestjs/swagger, which many DTOs already have. */
function swaggerDescription(dto: Dto, name: string): JsonSchema {
  const options = Reflect.getMetadata('swagger/apiModelProperties', dto.prototype as object, name) as unknown;
  const description = isJsonObject(options) ? options['description'] : undefined;
  return typeof description === 'string' && description !== '' ? { description } : {};
}
