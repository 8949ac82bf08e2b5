import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { nftables } from '../src/modes/nftables/index.ts'
import { failuresOf, type ModeOf } from './stories/check.ts'
import { storyOf } from './stories/story.ts'

const FOLDER = new URL('../fixtures/stories/', import.meta.url)
const STORIES = readdirSync(FOLDER).filter(file => file.endsWith('.story')).sort()
const modeOf: ModeOf = family => nftables({ family, chainRemoval: 'at-once' })

test.for(STORIES)('%s', file => {
  const story = storyOf(`fixtures/stories/${file}`, readFileSync(new URL(file, FOLDER), 'utf8'))
  expect(failuresOf(story, modeOf).join('\n')).toBe('')
})
