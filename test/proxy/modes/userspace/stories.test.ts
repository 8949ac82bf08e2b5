import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Mode, Ruleset, Unit } from '#proxy/modes/mode.ts'
import { applied, diff, isEmpty } from '#proxy/plan/diff.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { type Address, FAMILIES, type Family, familyOf } from '#values/address.ts'
import type { Expectation, StoryPacket } from '../../../stories/expectations.ts'
import { forUserspace, OTHERWISE } from '../../../stories/for-userspace.ts'
import { type Step, storyOf } from '../../../stories/story.ts'
import { type Fate, fateOf, sameFate } from '../../../support/fate.ts'
import { type Flags, nodeFacts } from '../../../support/flags.ts'
import { userspaceIn } from './tools.ts'

// Every story in fixtures/stories, in userspace mode: each packet ends where the story says, and the endpoint sees the
// node's address. Lines about single rules are for iptables mode.

const FOLDER = new URL('../../../../fixtures/stories/', import.meta.url)
const FILES = readdirSync(FOLDER).filter(file => file.endsWith('.story'))

describe.each(['flat', 'tree'] as const)('with frontends in a %s', dispatch => {
  test.for(FILES)('%s', file => {
    const story = forUserspace(storyOf(`fixtures/stories/${file}`, readFileSync(new URL(file, FOLDER), 'utf8')))
    const lanes = FAMILIES.map(family => new Lane({ flags: story.flags, family, dispatch }))
    const failures = story.steps.flatMap(step => {
      for (const lane of lanes) lane.follow(step)
      return step.expectations.flatMap(expectation => {
        const said = complaint(expectation, step, lanes)
        return said === undefined ? [] : [`${expectation.line.where}: "${expectation.line.text}", but ${said}`]
      })
    })
    expect(failures.join('\n')).toBe('')
  })
})

interface LaneOptions {
  readonly flags: Flags
  readonly family: Family
  readonly dispatch: 'flat' | 'tree'
}

/**
 * The rules of a running agent, kept from step to step, and compared with those of an agent that starts at that step.
 */
class Lane {
  readonly family: Family
  readonly mode: Mode
  readonly #options: LaneOptions
  readonly #cluster = new Cluster()
  readonly #draft: Draft
  #addresses: readonly Address[] = []
  #installed = new Map<Unit, string>()

  constructor(options: LaneOptions) {
    this.family = options.family
    this.mode = userspaceIn(options.family)
    this.#options = options
    this.#draft = this.#draftOf(this.#cluster)
  }

  get installed(): Ruleset {
    return this.#installed
  }

  follow({ events, addresses, objects }: Step): void {
    this.#addresses = addresses
    for (const event of events) this.#draft.touch(this.#cluster.apply(event).services)
    this.#draft.update()
    const { book } = this.#draft
    this.#installed = applied(this.#installed, diff(this.#installed, book.rules, book.takeTouched()))
    const cluster = new Cluster()
    for (const object of objects) cluster.apply({ type: 'put', object })
    const fresh = this.#draftOf(cluster)
    fresh.update()
    expect(isEmpty(diff(this.#installed, fresh.book.rules))).toBe(true)
  }

  #draftOf(cluster: Cluster): Draft {
    return new Draft(cluster, this.mode, (...seen) =>
      nodeFacts({ ...this.#options, addresses: this.#addresses })(...seen),
    )
  }
}

function complaint(expectation: Expectation, step: Step, lanes: readonly Lane[]): string | undefined {
  if (expectation.about !== 'packet' && expectation.about !== 'never') return undefined
  const found = fateIn(expectation.packet, step, lanes)
  const shown = [...found].map(([end, share]) => `${end} (${share})`).join(', ')
  if (expectation.about === 'never') {
    return expectation.endpoints.some(endpoint => found.has(`${endpoint} masqueraded`))
      ? `it does: ${shown}`
      : undefined
  }
  const { ends } = expectation
  const wanted = fateOf(ends.map(end => ({ end, share: 1 / ends.length })))
  return sameFate(found, wanted) ? undefined : shown
}

function fateIn({ source: _, ...packet }: StoryPacket, { addresses }: Step, lanes: readonly Lane[]): Fate {
  const lane = lanes.find(({ family }) => family === familyOf(packet.to))!
  const nodeAddresses = addresses.filter(address => familyOf(address) === lane.family)
  return fateOf(lane.mode.trace(lane.installed, { ...packet, nodeAddresses }))
}

test('every exception is needed', () => {
  const lines = FILES.flatMap(file => readFileSync(new URL(file, FOLDER), 'utf8').split('\n')).map(line => line.trim())
  expect(OTHERWISE.filter(({ says }) => !lines.some(line => says.test(line)))).toEqual([])
})
