import type { Manifest } from '../../helm/support/chart.js';

type Data = Readonly<Record<string, string>>;

/**
 * The ConfigMaps of a namespace. Pods hold none of what is in them: a container that starts reads the one that it names,
 * as it is then.
 */
export class ConfigMaps {
  private readonly stored = new Map<string, Manifest>();
  /** Names of what the release holds. */
  private released: readonly string[] = [];

  /**
   * What `helm upgrade` and `helm rollback` do: write those that the chart renders, and delete those of the release
   * before that are not among them. Those of a hook are no part of a release, and stay.
   * @throws Error where one that is immutable would change
   */
  release(manifests: readonly Manifest[]): void {
    for (const manifest of manifests) {
      const { name } = manifest.metadata;
      const before = this.stored.get(name);
      const changes = before && JSON.stringify(before['data']) !== JSON.stringify(manifest['data']);
      if (changes && before['immutable'] === true && !renewed(manifest)) {
        throw new Error(`ConfigMap ${name} is immutable and would change.`);
      }
      this.stored.set(name, manifest);
    }
    const names = manifests.map(({ metadata }) => metadata.name);
    for (const name of this.released.filter((each) => !names.includes(each))) this.stored.delete(name);
    this.released = manifests.filter((manifest) => !kept(manifest)).map(({ metadata }) => metadata.name);
  }

  /** @returns undefined where there is none of that name: a container that names it does not start */
  read(name: string): Data | undefined {
    return this.stored.get(name)?.['data'] as Data | undefined;
  }
}

function kept({ metadata: { annotations = {} } }: Manifest): boolean {
  return annotations['helm.sh/hook'] !== undefined || annotations['helm.sh/resource-policy'] === 'keep';
}

/** Whether Helm deletes one of this name before it makes this one. */
function renewed({ metadata: { annotations = {} } }: Manifest): boolean {
  return annotations['helm.sh/hook-delete-policy']?.includes('before-hook-creation') === true;
}
