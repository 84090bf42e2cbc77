import { describe, expect, it } from 'vitest';
import { declaration, readDeclarations } from './declaration.js';

const tag = (value: string) => declaration<string>('Tag', 'test:tag', value);
const read = (holder: object, methodName?: string) => readDeclarations<string>('test:tag', holder, methodName);

@tag('class')
class Base {
  @tag('last')
  @tag('first')
  marked(): void {}

  plain(): void {}
}

describe('a declaration', () => {
  it('is read from the method that carries it, each after those below it', () => {
    expect(read(Base.prototype, 'marked')).toEqual(['first', 'last']);
    expect(read(Base.prototype, 'plain')).toEqual([]);
  });

  it('of a class is kept apart from those of its methods', () => {
    expect(read(Base)).toEqual(['class']);
  });

  it('of a base class holds in classes that extend it, which change nothing there', () => {
    @tag('more')
    class Derived extends Base {}

    expect(read(Derived)).toEqual(['class', 'more']);
    expect(read(Base)).toEqual(['class']);
  });

  it('of a method holds for the method that overrides it, too', () => {
    class Derived extends Base {
      @tag('more')
      override marked(): void {}
    }

    expect(read(Derived.prototype, 'marked')).toEqual(['first', 'last', 'more']);
  });

  it('of a method holds although another decorator puts a function of its own in its place', () => {
    const wrapped = (_target: object, _name: string, descriptor: PropertyDescriptor): PropertyDescriptor => ({
      ...descriptor,
      value: () => undefined,
    });
    class Shop {
      @tag('above')
      @wrapped
      @tag('below')
      open(): void {}
    }

    expect(read(Shop.prototype, 'open')).toEqual(['below', 'above']);
  });

  it('cannot be changed afterwards', () => {
    expect(Object.isFrozen(read(Base))).toBe(true);
  });

  it('on what is no method names the place and the way out', () => {
    class Shop {
      get hours(): string {
        return '9 to 5';
      }
    }
    const decorate = (): void => tag('x')(Shop.prototype, 'hours');

    expect(decorate).toThrow(
      'Shop.hours carries @Tag() but is not a method. Put the decorator on an instance method, a class or a module.',
    );
  });
});
