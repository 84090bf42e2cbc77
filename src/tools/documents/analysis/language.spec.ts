import { describe, expect, it } from 'vitest';
import { guessLanguage, isStopWord } from './language.js';
import { wordsOf } from './words.js';

describe('guessLanguage', () => {
  it.each([
    ['en', 'The agreement was signed by both of the parties, and it is binding for all that follow.'],
    ['de', 'Der Vertrag wurde von beiden Parteien unterschrieben und ist für alle, die folgen, nicht mehr zu ändern.'],
    ['fr', 'Le contrat est signé par les deux parties et il est obligatoire pour tous ceux qui suivent dans la suite.'],
    ['es', 'El contrato fue firmado por las dos partes y es obligatorio para todos los que siguen en la lista.'],
    ['it', 'Il contratto è stato firmato dalle due parti ed è obbligatorio per tutti gli altri che sono della lista.'],
    ['pt', 'O contrato foi assinado pelas duas partes e não é mais possível para os outros que estão na lista.'],
    ['nl', 'Het contract is door de twee partijen getekend en het is niet meer mogelijk voor hem om dat te doen.'],
    ['unknown', 'Lorem ipsum dolor sit amet consectetur adipiscing elit'],
    ['unknown', '今天 天气 很好'],
  ])('%s', (language, text) => expect(guessLanguage(wordsOf(text))).toBe(language));
});

it('isStopWord knows the words of one language, or of all when it is unknown', () => {
  expect(isStopWord('und', 'de')).toBe(true);
  expect(isStopWord('und', 'en')).toBe(false);
  expect(isStopWord('und', 'unknown')).toBe(true);
});
