/** Ways to make a client count wrong on purpose: the soak must then fail. */
export const SABOTAGES = ['drop-event', 'double-event', 'swap-events', 'drop-notification', 'wrong-echo'] as const;
export type SabotageKind = (typeof SABOTAGES)[number];

/** The number of the event that is tampered with. */
const TARGET = 7;

/** Tampers once with what one client hears, or with what it expects. */
export class Sabotage {
  private done = false;
  private heldBack = false;

  constructor(private readonly kind?: SabotageKind) {}

  /** The numbers that the client is to believe it was sent. */
  events(n: number): number[] {
    if (this.heldBack && n === TARGET + 1) {
      this.heldBack = false;
      return [n, TARGET];
    }
    if (n !== TARGET) return [n];
    if (this.now('drop-event')) return [];
    if (this.now('double-event')) return [n, n];
    if (!this.now('swap-events')) return [n];
    this.heldBack = true;
    return [];
  }

  /** Whether the client is to ignore a notification. */
  dropsNotification(): boolean {
    return this.now('drop-notification');
  }

  /** What the client is to expect an echo of. */
  expected(text: string): string {
    return this.now('wrong-echo') ? `${text}, tampered with` : text;
  }

  private now(kind: SabotageKind): boolean {
    if (this.done || this.kind !== kind) return false;
    return (this.done = true);
  }
}
