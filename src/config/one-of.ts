import type { Choices } from './choices.ts'
import { wrong } from './problem.ts'
import { nearest } from './table/nearest.ts'
import { settingOf } from './table/table.ts'

// A setting that may be one of some words → what is wrong where it is none of them.

/** By the words of its row; the default need not be among them. */
export function notOneOf(choices: Choices, key: string): readonly string[] {
  const { words = [], initial } = settingOf(key)
  const given = choices.text(key)
  return words.includes(given) || given === initial ? [] : [wrong(choices, key, `must be ${oneOf(words)}`)]
}

/** The known words, the one that was probably meant first. */
export function oneOf(known: readonly string[], given = ''): string {
  const meant = nearest(given, known)
  const rest = known.filter(word => word !== meant)
  return [...(meant === undefined ? [] : [meant]), ...rest].join(', ').replace(/, (?=[^,]*$)/, ' or ')
}
