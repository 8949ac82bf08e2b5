import type { Event } from '#kubernetes/event.ts'
import type { ClusterObject } from '#kubernetes/objects.ts'
import type { Address } from '#values/address.ts'
import type { Flags } from '../support/flags.ts'
import { type Expectation, expectationAt } from './expectations.ts'
import { flagsAt, STORY_FLAGS } from './flag-line.ts'
import { type Line, linesOf, StoryError } from './lines.ts'
import { Scene } from './scene.ts'

// The text of a .story file → a title, flags, and steps: what changes, and what must hold then.

export interface Story {
  readonly file: string
  readonly title: string
  readonly flags: Flags
  readonly steps: readonly Step[]
}

export interface Step {
  readonly where: string
  /** The story's own title for the step: `when the last pod goes away`. */
  readonly title: string
  readonly events: readonly Event[]
  /** All objects, as they are after the events. */
  readonly objects: readonly ClusterObject[]
  /** The addresses of the node's interfaces. */
  readonly addresses: readonly Address[]
  readonly expectations: readonly Expectation[]
}

/** Throws a StoryError, with file and line, where the text cannot be parsed. */
export function storyOf(file: string, text: string): Story {
  const [first, ...lines] = linesOf(file, text)
  const [, title] = /^story: (.+)$/.exec(first?.text ?? '') ?? []
  if (title === undefined)
    throw new StoryError(first ?? { where: `${file}:1` }, 'a story starts with: story: its title')
  const flagLine = lines.find(line => /^flags\b/.test(line.text))
  if (flagLine !== undefined && flagLine !== lines[0])
    throw new StoryError(flagLine, 'flags come first: a node that runs does not change them')
  const flags = flagLine === undefined ? STORY_FLAGS : flagsAt(flagLine)
  return { file, title, flags, steps: stepsOf(flags, flagLine === undefined ? lines : lines.slice(1), file) }
}

/** Each `expect` ends a step. */
function stepsOf(flags: Flags, lines: readonly Line[], file: string): readonly Step[] {
  const scene = new Scene(flags.nodeName)
  const steps: Step[] = []
  let events: Event[] = scene.objects.map(object => ({ type: 'put', object }))
  let title = 'at first'
  for (const line of lines) {
    if (line.text.startsWith('when ')) {
      title = line.text
      events.push(...line.children.flatMap(child => scene.play(child)))
    } else if (line.text !== 'expect') events.push(...scene.play(line))
    else {
      const { objects, addresses } = scene
      steps.push({ where: line.where, title, events, objects, addresses, expectations: expectationsAt(line) })
      events = []
      title = 'next'
    }
  }
  if (steps.length === 0) throw new StoryError({ where: `${file}:1` }, 'the story expects nothing')
  if (events.length > 0) throw new StoryError(lines.at(-1)!, 'the story ends without expecting anything of this')
  return steps
}

function expectationsAt(line: Line): readonly Expectation[] {
  if (line.children.length === 0) throw new StoryError(line, 'nothing stands beneath this expect')
  return line.children.map(expectationAt)
}
