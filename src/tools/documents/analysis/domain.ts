const list = (text: string): readonly string[] => text.split(' ');

/** The words by which each domain is known. English only; a document in another language is undecided. */
const DOMAIN_TERMS = {
  legal: list(
    'agreement plaintiff defendant court clause contract jurisdiction liability statute hereby herein party parties ' +
      'warranty indemnify arbitration breach tenant landlord attorney tribunal pursuant litigation governing injunction',
  ),
  medical: list(
    'patient patients diagnosis symptom symptoms treatment dose dosage clinical therapy disease chronic acute blood ' +
      'surgery prescription physician hospital infection vaccine tumor mg syndrome prognosis antibiotic cardiac',
  ),
  financial: list(
    'revenue profit loss balance asset assets liabilities equity dividend fiscal quarter shareholders cash ' +
      'investment interest audit earnings ebitda depreciation portfolio bond budget expenses margin invoice',
  ),
  technical: list(
    'server software api database network algorithm deployment latency protocol code function configuration ' +
      'cluster container interface module runtime cache compiler bandwidth encryption kernel endpoint replica firmware',
  ),
} as const;

export type DetectableDomain = keyof typeof DOMAIN_TERMS;
export type Domain = DetectableDomain | 'other';
export const DOMAINS = [...Object.keys(DOMAIN_TERMS), 'other'] as readonly Domain[];

export interface DomainEvidence {
  readonly domain: DetectableDomain;
  readonly score: number;
  /** The terms that were found, the most frequent first. */
  readonly terms: readonly string[];
}

/** Score below which nothing is decided: about three different terms. */
const MIN_SCORE = 3;
/** How far the best domain must be ahead of the second. */
const MIN_LEAD = 1.5;

/**
 * Scores each domain by its terms in the document: a term counts 1 + log2 of its occurrences, so that many different
 * terms say more than one that is repeated. Best domain first; domains without any term are left out.
 */
export function scoreDomains(counts: ReadonlyMap<string, number>): DomainEvidence[] {
  return Object.entries(DOMAIN_TERMS)
    .map(([domain, all]) => {
      const found = all
        .map((term) => ({ term, count: counts.get(term) ?? 0 }))
        .filter(({ count }) => count > 0)
        .sort((a, b) => b.count - a.count);
      const score = found.reduce((sum, { count }) => sum + 1 + Math.log2(count), 0);
      return {
        domain: domain as DetectableDomain,
        score: Math.round(score * 10) / 10,
        terms: found.map(({ term }) => term),
      };
    })
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
}

/** The domain that the evidence is clear about, if there is one. */
export function clearDomain([best, second]: readonly DomainEvidence[]): DetectableDomain | undefined {
  if (!best || best.score < MIN_SCORE) return undefined;
  return best.score >= (second?.score ?? 0) * MIN_LEAD ? best.domain : undefined;
}
