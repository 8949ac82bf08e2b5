import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DIFFERENCES, nftablesOracle } from '../proxy/modes/nftables/differences.ts'
import { modeOf } from '../proxy/modes/nftables/scene.ts'
import { failuresOf } from './check.ts'
import { forNftables, ON_LOOPBACK } from './exceptions.ts'
import { storyOf } from './story.ts'

// Every story in fixtures/stories, in nftables mode, with the differences that are intended there.

const FOLDER = new URL('../../fixtures/stories/', import.meta.url)
const STORIES = readdirSync(FOLDER)
  .filter(file => file.endsWith('.story'))
  .sort()
  .map(file => {
    const original = storyOf(`fixtures/stories/${file}`, readFileSync(new URL(file, FOLDER), 'utf8'))
    return { title: original.title, file, ...forNftables(original) }
  })

test.for(STORIES)('in nftables mode: $title ($file)', ({ story }) => {
  expect(failuresOf(story, modeOf, nftablesOracle).join('\n')).toBe('')
})

test('every difference from iptables mode is met by a story', () => {
  const met = new Set(STORIES.flatMap(({ exceptions }) => exceptions.map(({ reason }) => reason)))
  expect([...met].sort()).toEqual([...Object.keys(DIFFERENCES), ON_LOOPBACK].sort())
})

test('what differs is the exception: fewer than one expectation in ten', () => {
  const differing = STORIES.flatMap(({ exceptions }) => exceptions).length
  const all = STORIES.flatMap(({ story }) => story.steps.flatMap(({ expectations }) => expectations)).length
  expect(differing / all).toBeLessThan(0.1)
})
