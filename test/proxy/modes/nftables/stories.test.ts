import { expect, test } from 'vitest'
import { failuresOf } from '../../../stories/check.ts'
import { forNftables, ON_LOOPBACK } from '../../../stories/exceptions.ts'
import { parsed, STORIES } from '../../../stories/files.ts'
import { DIFFERENCES, nftablesOracle } from './differences.ts'
import { modeOf } from './scene.ts'

// Every story in fixtures/stories, in nftables mode, with the differences that are intended there.

const ADAPTED = STORIES.map(story => {
  const original = parsed(story)
  return { title: original.title, file: story.file, ...forNftables(original) }
})

test.for(ADAPTED)('in nftables mode: $title ($file)', ({ story }) => {
  expect(failuresOf(story, modeOf, { says: nftablesOracle }).join('\n')).toBe('')
})

test('every difference from iptables mode is met by a story', () => {
  const met = new Set(ADAPTED.flatMap(({ exceptions }) => exceptions.map(({ reason }) => reason)))
  expect([...met].sort()).toEqual([...Object.keys(DIFFERENCES), ON_LOOPBACK].sort())
})

test('what differs is the exception: fewer than one expectation in ten', () => {
  const differing = ADAPTED.flatMap(({ exceptions }) => exceptions).length
  const all = ADAPTED.flatMap(({ story }) => story.steps.flatMap(({ expectations }) => expectations)).length
  expect(differing / all).toBeLessThan(0.1)
})
