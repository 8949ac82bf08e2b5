import { baseAddress, contains, prefixLength } from '#values/cidr.ts'
import type { Choices } from './choices.ts'
import { notOneOf } from './one-of.ts'
import { wrong } from './problem.ts'
import { ringInit, ringRange } from './ring-choice.ts'

// Choices for the source of a node's ranges → what is wrong with them.

type Problems = readonly string[]

export function ring(choices: Choices): Problems {
  return [
    ...notOneOf(choices, '--ranges-from'),
    ...range(choices, '--ipalloc-range'),
    ...range(choices, '--ipalloc-default-subnet'),
    ...inside(choices),
    ...(ringInit(choices.text('--ipalloc-init')) === undefined
      ? [
          wrong(
            choices,
            '--ipalloc-init',
            'must be consensus, consensus=N, seed=NODE,NODE or observer, such as consensus=3',
          ),
        ]
      : []),
  ]
}

function range(choices: Choices, key: string): Problems {
  const text = choices.text(key)
  return text === '' || ringRange(text) !== undefined
    ? []
    : [wrong(choices, key, 'must be an IPv4 range of at least four addresses, such as 10.32.0.0/12')]
}

/** What comes from the environment is compared where it is read. */
function inside(choices: Choices): Problems {
  const [whole, part] = [
    ringRange(choices.text('--ipalloc-range')),
    ringRange(choices.text('--ipalloc-default-subnet')),
  ]
  if (whole === undefined || part === undefined) return []
  return prefixLength(part) >= prefixLength(whole) && contains(whole, baseAddress(part))
    ? []
    : [wrong(choices, '--ipalloc-default-subnet', `must be a part of ${choices.named('--ipalloc-range')}, ${whole}`)]
}
