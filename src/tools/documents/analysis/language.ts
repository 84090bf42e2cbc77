const list = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** The most frequent function words of each language that can be recognised, by ISO 639-1 code. */
const STOP_WORDS = {
  en: list(
    'the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which ' +
      'you were their there been has will would what if can all her she do we our so no more when who its than may shall ' +
      'any such into them these those also about your my i',
  ),
  de: list(
    'der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass ' +
      'sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch ' +
      'ich wir wenn ihr kann',
  ),
  fr: list(
    'de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec ou son aux cette ' +
      'ont ses mais comme nous été elle vous leur sa on être fait je tout même',
  ),
  es: list(
    'de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre ' +
      'este ya entre cuando todo esta ser son dos también fue había muy hasta desde está',
  ),
  it: list(
    'di e il la che in a un per è del non sono della con i le una si da al nel come più ma dei anche lo alla o gli delle ' +
      'se questo ha suo nella era ci sua essere stato dal',
  ),
  pt: list(
    'de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou ' +
      'ser quando muito há nos já está eu também só pelo pela até isso',
  ),
  nl: list(
    'de en van ik te dat die in een hij het niet zijn is was op aan met als voor had er maar om hem dan zou of wat mijn ' +
      'men dit zo door over ze zich bij ook tot je mij uit der daar haar naar heb hoe heeft hebben deze u want nog',
  ),
} as const;

export type Language = keyof typeof STOP_WORDS | 'unknown';
export const LANGUAGES = [...Object.keys(STOP_WORDS), 'unknown'] as readonly Language[];

/** Function words make up 30 to 50 percent of running text; below this there is too little to go by. */
const MIN_SHARE = 0.12;
/** How far the best language must be ahead of the second. */
const MIN_LEAD = 1.2;

/** Guesses the language by the share of its function words among all words. */
export function guessLanguage(words: readonly string[]): Language {
  const [best, second] = Object.entries(STOP_WORDS)
    .map(([language, stopWords]) => ({
      language: language as Language,
      share: words.filter((word) => stopWords.has(word)).length / words.length,
    }))
    .sort((a, b) => b.share - a.share);
  const isClear = best && second && best.share >= MIN_SHARE && best.share >= second.share * MIN_LEAD;
  return isClear ? best.language : 'unknown';
}

/** Whether a word only holds sentences together, in the language given or, if that is unknown, in any. */
export function isStopWord(word: string, language: Language): boolean {
  return language === 'unknown'
    ? Object.values(STOP_WORDS).some((stopWords) => stopWords.has(word))
    : STOP_WORDS[language].has(word);
}
