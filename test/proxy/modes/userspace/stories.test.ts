import { describe, expect, test } from 'vitest'
import { failuresOf } from '../../../stories/check.ts'
import { parsed, STORIES } from '../../../stories/files.ts'
import { forUserspace, OTHERWISE } from '../../../stories/for-userspace.ts'
import { userspaceOracle } from './differences.ts'
import { userspaceIn } from './tools.ts'

// Every story in fixtures/stories, in userspace mode: each packet ends where the story says, and the endpoint sees the
// node's address. Lines about single rules are for iptables mode.

describe.each(['flat', 'tree'] as const)('in userspace mode, with frontends in a %s', dispatch => {
  test.for(STORIES)('$title ($file)', story => {
    const failures = failuresOf(forUserspace(parsed(story)), family => userspaceIn(family), {
      says: userspaceOracle,
      dispatch,
    })
    expect(failures.join('\n')).toBe('')
  })
})

test('every exception is needed', () => {
  const lines = STORIES.flatMap(({ text }) => text.split('\n')).map(line => line.trim())
  expect(OTHERWISE.filter(({ says }) => !lines.some(line => says.test(line)))).toEqual([])
})
