import { expect, test } from 'vitest'
import { failuresOf } from '../../../stories/check.ts'
import { forIpvs, ON_LOOPBACK } from '../../../stories/exceptions.ts'
import { parsed, STORIES } from '../../../stories/files.ts'
import { DIFFERENCES, ipvsOracle } from './differences.ts'
import { modeOf } from './scene.ts'

// Every story in fixtures/stories, in ipvs mode, with the differences that are intended or unavoidable there.

const ADAPTED = STORIES.map(story => {
  const original = parsed(story)
  return { title: original.title, file: story.file, ...forIpvs(original) }
})

test.for(ADAPTED)('in ipvs mode: $title ($file)', ({ story }) => {
  expect(failuresOf(story, family => modeOf(family), { says: ipvsOracle }).join('\n')).toBe('')
})

/** No story has a client outside with an address of a Service; the mode contract has one. */
const NOT_IN_STORIES = 'nothing comes in from an address of a Service over IPv4'

test('every difference from iptables mode is met by a story', () => {
  const met = new Set(ADAPTED.flatMap(({ exceptions }) => exceptions.map(({ reason }) => reason)))
  expect([...met, NOT_IN_STORIES].sort()).toEqual([...Object.keys(DIFFERENCES), ON_LOOPBACK].sort())
})

test('what differs is the exception: fewer than one expectation in ten', () => {
  const differing = ADAPTED.flatMap(({ exceptions }) => exceptions).length
  const all = ADAPTED.flatMap(({ story }) => story.steps.flatMap(({ expectations }) => expectations)).length
  expect(differing / all).toBeLessThan(0.1)
})
