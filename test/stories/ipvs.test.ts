import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DIFFERENCES, ipvsOracle } from '../proxy/modes/ipvs/differences.ts'
import { modeOf } from '../proxy/modes/ipvs/scene.ts'
import { failuresOf } from './check.ts'
import { forIpvs, ON_LOOPBACK } from './exceptions.ts'
import { storyOf } from './story.ts'

// Every story in fixtures/stories, told to ipvs mode, with what differs there on purpose or cannot be otherwise.

const FOLDER = new URL('../../fixtures/stories/', import.meta.url)
const STORIES = readdirSync(FOLDER)
  .filter(file => file.endsWith('.story'))
  .sort()
  .map(file => {
    const told = storyOf(`fixtures/stories/${file}`, readFileSync(new URL(file, FOLDER), 'utf8'))
    return { title: told.title, file, ...forIpvs(told) }
  })

test.for(STORIES)('in ipvs mode: $title ($file)', ({ story }) => {
  expect(failuresOf(story, family => modeOf(family), ipvsOracle).join('\n')).toBe('')
})

/** No story has a client outside with an address of a Service; the mode contract has one. */
const UNTOLD = 'nothing comes in from an address of a Service over IPv4'

test('every difference from iptables mode is met by a story', () => {
  const met = new Set(STORIES.flatMap(({ exceptions }) => exceptions.map(({ reason }) => reason)))
  expect([...met, UNTOLD].sort()).toEqual([...Object.keys(DIFFERENCES), ON_LOOPBACK].sort())
})

test('what differs is the exception: fewer than one expectation in ten', () => {
  const differing = STORIES.flatMap(({ exceptions }) => exceptions).length
  const told = STORIES.flatMap(({ story }) => story.steps.flatMap(({ expectations }) => expectations)).length
  expect(differing / told).toBeLessThan(0.1)
})
