import { readdirSync, readFileSync } from 'node:fs'
import { type Story, storyOf } from './story.ts'

// fixtures/stories → every story there is.

const FOLDER = new URL('../../fixtures/stories/', import.meta.url)

/** By name of file. */
export const STORIES: readonly { readonly file: string; readonly title: string; readonly text: string }[] = readdirSync(
  FOLDER,
)
  .filter(file => file.endsWith('.story'))
  .sort()
  .map(file => {
    const text = readFileSync(new URL(file, FOLDER), 'utf8')
    return { file, title: text.split('\n', 1)[0]!.replace('story: ', ''), text }
  })

export function parsed({ file, text }: (typeof STORIES)[number]): Story {
  return storyOf(`fixtures/stories/${file}`, text)
}
