import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PARAMTYPES_METADATA, PROPERTY_DEPS_METADATA, SELF_DECLARED_DEPS_METADATA } from '@nestjs/common/internal';
import { ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { CurrentCall } from './dispatch/current-call.js';

/** Has calls followed from the first one on if anybody injects `CurrentCall`, also who is made only when it is called. */
@Injectable()
export class CurrentCallReaders implements OnModuleInit {
  constructor(private readonly modules: ModulesContainer) {}

  onModuleInit(): void {
    for (const { providers, controllers, injectables } of this.modules.values()) {
      for (const wrappers of [providers, controllers, injectables]) {
        if ([...wrappers.values()].some(readsCurrentCall)) return CurrentCall.follow();
      }
    }
  }
}

function readsCurrentCall({ metatype, inject }: InstanceWrapper): boolean {
  if (inject?.some((token) => token === CurrentCall || (token as { token?: unknown }).token === CurrentCall))
    return true;
  if (typeof metatype !== 'function') return false;
  const types = (Reflect.getMetadata(PARAMTYPES_METADATA, metatype) ?? []) as unknown[];
  const declared = (Reflect.getMetadata(SELF_DECLARED_DEPS_METADATA, metatype) ?? []) as { param: unknown }[];
  const properties = (Reflect.getMetadata(PROPERTY_DEPS_METADATA, metatype) ?? []) as { type: unknown }[];
  return (
    types.includes(CurrentCall) ||
    declared.some(({ param }) => param === CurrentCall) ||
    properties.some(({ type }) => type === CurrentCall)
  );
}
