import { expect, test } from 'vitest'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { failuresOf } from '../../../stories/check.ts'
import { parsed, STORIES } from '../../../stories/files.ts'
import { TOOLS } from '../userspace/tools.ts'

// Every story in fixtures/stories, played step by step: they are written for this mode.

test.for(STORIES)('in iptables mode: $title ($file)', story => {
  expect(failuresOf(parsed(story), family => iptables(TOOLS[family])).join('\n')).toBe('')
})
