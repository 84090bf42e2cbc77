interface Stored extends Readonly<Record<string, unknown>> {
  readonly grantId?: string;
  readonly uid?: string;
  consumed?: number;
}

/** Where oidc-provider keeps what it issues: each server its own, for as long as the server lives. */
export function memoryAdapter() {
  const kinds = new Map<string, Map<string, Stored>>();

  return (kind: string) => {
    const entries = kinds.get(kind) ?? new Map<string, Stored>();
    kinds.set(kind, entries);
    return {
      upsert: async (id: string, payload: Stored) => void entries.set(id, payload),
      find: async (id: string) => entries.get(id),
      findByUid: async (uid: string) => [...entries.values()].find((stored) => stored.uid === uid),
      findByUserCode: async () => undefined,
      destroy: async (id: string) => void entries.delete(id),
      consume: async (id: string) => {
        const stored = entries.get(id);
        if (stored) stored.consumed = Math.floor(Date.now() / 1000);
      },
      revokeByGrantId: async (grantId: string) => {
        for (const [id, stored] of entries) if (stored.grantId === grantId) entries.delete(id);
      },
    };
  };
}
