import type { Choices } from './choices.ts'
import { notOneOf } from './one-of.ts'
import { wrong } from './problem.ts'

// Choices for routes to other nodes → what is wrong with them.

type Problems = readonly string[]

/** Of 24 bits. */
const MOST_VNI = 2 ** 24 - 1

export function routes(choices: Choices): Problems {
  const within = (key: string, most: number): Problems => {
    const value = choices.number(key)
    return value >= 1 && value <= most ? [] : [wrong(choices, key, `must be within the range [1, ${most}]`)]
  }
  return [
    ...['--routes', '--overlay', '--ip-masq'].flatMap(key => notOneOf(choices, key)),
    ...within('--overlay-vni', MOST_VNI),
    ...within('--overlay-port', 65_535),
  ]
}
