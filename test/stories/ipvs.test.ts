import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DIFFERENCES, ipvsOracle } from '../proxy/modes/ipvs/differences.ts'
import { modeOf } from '../proxy/modes/ipvs/scene.ts'
import { failuresOf } from './check.ts'
import { forIpvs, ON_LOOPBACK } from './exceptions.ts'
import { storyOf } from './story.ts'

// Every story in fixtures/stories, in ipvs mode, with the differences that are intended or unavoidable there.

const FOLDER = new URL('../../fixtures/stories/', import.meta.url)
const STORIES = readdirSync(FOLDER)
  .filter(file => file.endsWith('.story'))
  .sort()
  .map(file => {
    const original = storyOf(`fixtures/stories/${file}`, readFileSync(new URL(file, FOLDER), 'utf8'))
    return { title: original.title, file, ...forIpvs(original) }
  })

test.for(STORIES)('in ipvs mode: $title ($file)', ({ story }) => {
  expect(failuresOf(story, family => modeOf(family), ipvsOracle).join('\n')).toBe('')
})

/** No story has a client outside with an address of a Service; the mode contract has one. */
const NOT_IN_STORIES = 'nothing comes in from an address of a Service over IPv4'

test('every difference from iptables mode is met by a story', () => {
  const met = new Set(STORIES.flatMap(({ exceptions }) => exceptions.map(({ reason }) => reason)))
  expect([...met, NOT_IN_STORIES].sort()).toEqual([...Object.keys(DIFFERENCES), ON_LOOPBACK].sort())
})

test('what differs is the exception: fewer than one expectation in ten', () => {
  const differing = STORIES.flatMap(({ exceptions }) => exceptions).length
  const all = STORIES.flatMap(({ story }) => story.steps.flatMap(({ expectations }) => expectations)).length
  expect(differing / all).toBeLessThan(0.1)
})
