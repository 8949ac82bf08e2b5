// Words → one line. `false` and `undefined` vanish, so a condition stands where its words would stand.

export type RuleWord = string | number | false | undefined

export function rule(...words: readonly RuleWord[]): string {
  const kept: (string | number)[] = []
  for (const word of words) if (word !== false && word !== undefined) kept.push(word)
  return kept.join(' ')
}
