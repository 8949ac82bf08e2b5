import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { failuresOf, type ModeOf } from './check.ts'
import { storyOf } from './story.ts'

// Every story in fixtures/stories, played step by step in iptables mode.

const FOLDER = new URL('../../fixtures/stories/', import.meta.url)

const STORIES = readdirSync(FOLDER)
  .filter(file => file.endsWith('.story'))
  .sort()
  .map(file => {
    const text = readFileSync(new URL(file, FOLDER), 'utf8')
    return { file, text, title: text.split('\n', 1)[0]!.replace('story: ', '') }
  })

const MODES: Readonly<Record<string, ModeOf>> = {
  iptables: family => iptables({ family, variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' }),
}

describe.for(Object.entries(MODES))('in %s mode', ([, modeOf]) => {
  test.for(STORIES)('$title ($file)', ({ file, text }) => {
    const story = storyOf(`fixtures/stories/${file}`, text)
    expect(failuresOf(story, modeOf).join('\n')).toBe('')
  })
})

test('there are no fewer than 120 stories, each with several steps and a title of its own', () => {
  const stories = STORIES.map(({ file, text }) => storyOf(file, text))
  expect(stories.length).toBeGreaterThanOrEqual(120)
  expect(stories.filter(({ steps }) => steps.length < 2).map(({ file }) => file)).toEqual([])
  expect(new Set(stories.map(({ title }) => title)).size).toBe(stories.length)
})
