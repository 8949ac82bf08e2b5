import { expect, test } from 'vitest'
import { parsed, STORIES } from './files.ts'

test('there are no fewer than 120 stories, each with several steps and a title of its own', () => {
  const stories = STORIES.map(parsed)
  expect(stories.length).toBeGreaterThanOrEqual(120)
  expect(stories.filter(({ steps }) => steps.length < 2).map(({ file }) => file)).toEqual([])
  expect(new Set(stories.map(({ title }) => title)).size).toBe(stories.length)
})
