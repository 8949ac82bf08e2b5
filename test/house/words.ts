// Text → the words in it that the glossary in README.md has another word for.

export interface Synonym {
  readonly words: readonly string[]
  /** What the glossary says instead. */
  readonly say: string
}

export const SYNONYMS: readonly Synonym[] = [
  {
    words: ['door', 'doors', 'doorway', 'spot', 'spots', 'entrance', 'entrances'],
    say: 'frontend, listener or address',
  },
  { words: ['reservation', 'reservations'], say: 'lease' },
  { words: ['glance', 'glances'], say: 'audit' },
  { words: ['stranger', 'strangers'], say: 'foreign rule, or the program that wrote it' },
  { words: ['parked'], say: 'blocked or emptied' },
  { words: ['tell', 'tells', 'told', 'telling', 'news', 'herald'], say: 'log, report, notice or event' },
  {
    words: ['whoever', 'whomever', 'somebody', 'nobody', 'anybody', 'everybody'],
    say: 'a subject one can point at: agent, kernel, lane, client, endpoint',
  },
  { words: ['knock', 'knocks', 'knocked', 'knocking'], say: 'connect' },
  { words: ['mischief', 'deed', 'deeds'], say: 'fault' },
  { words: ['knob', 'knobs'], say: 'kernel setting' },
  { words: ['crew'], say: 'workers' },
  { words: ['takeover'], say: 'mode switch' },
  { words: ['surroundings', 'whereabouts', 'standpoint', 'nearness'], say: 'node facts, this node or topology' },
  { words: ['wish', 'wishes'], say: 'options' },
]

const SAY = new Map(SYNONYMS.flatMap(({ words, say }) => words.map(word => [word, say] as const)))

/** Lines and words, also those that are a part of a name in camelCase. */
export function synonymsIn(
  text: string,
): readonly { readonly line: number; readonly word: string; readonly say: string }[] {
  return text.split('\n').flatMap((line, index) =>
    wordsOf(line).flatMap(word => {
      const say = SAY.get(word.toLowerCase())
      return say === undefined ? [] : [{ line: index + 1, word, say }]
    }),
  )
}

/** `lookAround(DOOR_KEY)` → look, Around, DOOR, KEY */
function wordsOf(line: string): readonly string[] {
  return line.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []
}
