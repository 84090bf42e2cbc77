import 'reflect-metadata';

/** A decorator of a handler method, of a class of handlers, or of a module: then of all handlers in it. */
export type Declaration = (target: object, methodName?: string | symbol, descriptor?: PropertyDescriptor) => void;

/**
 * A decorator that adds a value to what a method, class or module declares under a key.
 *
 * What a method declares is kept by its place, prototype and name, not on its function: another decorator may put a
 * function of its own there, and what guards a method must not get lost with that.
 * @param name of the decorator, for its errors
 */
export function declaration<T>(name: string, key: string, value: T): Declaration {
  return (target, methodName) => {
    const values = Object.freeze([...readDeclarations<T>(key, target, methodName), value]);
    if (methodName === undefined) return Reflect.defineMetadata(key, values, target);
    requireMethod(target, methodName, `@${name}()`);
    Reflect.defineMetadata(key, values, target, methodName);
  };
}

/**
 * What is declared on a class or module, or, by prototype and name, on a method; what base classes declare included.
 */
export function readDeclarations<T>(key: string, holder: object, methodName?: string | symbol): readonly T[] {
  const values: unknown =
    methodName === undefined ? Reflect.getMetadata(key, holder) : Reflect.getMetadata(key, holder, methodName);
  return (values as readonly T[] | undefined) ?? [];
}

/** @throws Error naming the place when it is not one of a method */
export function requireMethod(
  prototype: object,
  methodName: string | symbol,
  decorator: string,
  wayOut = 'Put the decorator on an instance method, a class or a module.',
): void {
  const method: unknown = Object.getOwnPropertyDescriptor(prototype, methodName)?.value;
  if (typeof method === 'function') return;
  throw new Error(
    `${prototype.constructor.name}.${String(methodName)} carries ${decorator} but is not a method. ${wayOut}`,
  );
}
