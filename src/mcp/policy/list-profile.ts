import type { ListedCapability } from '../registry/capability.js';
import { EVERYTHING, type Visibility } from '../registry/visibility.js';

/** One capability of a list that policies are asked about. */
export interface Policed {
  readonly capability: ListedCapability;
  /** Index of its rule among those of the list. */
  readonly rule: number;
}

/** What is known of a capability, whoever asks. */
export interface CapabilityFacts {
  asksPolicies(capability: ListedCapability): boolean;
  /** Everyone may use it. */
  isForAll(capability: ListedCapability): boolean;
  /** Somebody nameless may use it, or see it. */
  isForStrangers(capability: ListedCapability): boolean;
}

/** What so many kinds of callers see is kept. */
const MAX_VIEWS = 100;

/** What there is to decide about a list, whoever asks: found out once, for a list that has changed is another one. */
export class ListProfile {
  /** For each rule that says something else, a capability that has it. */
  readonly rules: readonly ListedCapability[];
  readonly policed: readonly Policed[];
  /** Everyone may use all of it. */
  readonly isSameForAll: boolean;
  /** There is something for strangers. */
  readonly isForStrangers: boolean;
  private readonly ruleOf = new Map<ListedCapability, number>();
  private readonly views = new Map<string, Visibility>();

  constructor(list: readonly ListedCapability[], facts: CapabilityFacts) {
    const rules = new Map<string, ListedCapability>();
    const indices = new Map<string, number>();
    for (const capability of list) {
      const { key } = capability.rules.access;
      if (!rules.has(key)) indices.set(key, rules.size);
      rules.set(key, capability);
      this.ruleOf.set(capability, indices.get(key)!);
    }
    this.rules = [...rules.values()];
    this.policed = [...this.ruleOf].flatMap(([capability, rule]) =>
      facts.asksPolicies(capability) ? { capability, rule } : [],
    );
    this.isSameForAll = list.every((capability) => facts.isForAll(capability));
    this.isForStrangers = this.rules.some((capability) => facts.isForStrangers(capability));
  }

  /**
   * What those see whose bits these are: the same object for the same bits.
   * @param bits `1` or `0` for each rule, and for each capability that policies were asked about: is it met
   * @param refused what the policies do not let them see
   */
  view(bits: string, refused?: ReadonlySet<ListedCapability>): Visibility {
    const known = this.views.get(bits);
    if (known) return known;
    if (!bits.includes('0')) return EVERYTHING;
    const sees = (capability: ListedCapability): boolean => {
      const rule = this.ruleOf.get(capability);
      return rule !== undefined && bits[rule] === '1' && refused?.has(capability) !== true;
    };
    const view: Visibility = Object.freeze({ key: bits, sees });
    const [oldest] = this.views.keys();
    if (this.views.size >= MAX_VIEWS && oldest !== undefined) this.views.delete(oldest);
    this.views.set(bits, view);
    return view;
  }
}
