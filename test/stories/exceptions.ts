import type { End } from '../../src/modes/trace.ts'
import { familyOf } from '../../src/values/address.ts'
import { type Fate, fateOf, sameFate } from '../fate.ts'
import type { Flags } from '../flags.ts'
import { draftOf, inNftables, isLoopback, only, withoutLocalhost } from '../modes/nftables/differences.ts'
import type { Expectation, Knock } from './expectations.ts'
import type { Step, Story } from './story.ts'

// A story, told of iptables mode → the same story of nftables mode: what differs there on purpose differs in the story,
// with its reason, and lines about iptables' own rules are left out. Everything else must hold word for word.

export interface Exception {
  readonly where: string
  readonly reason: string
}

export interface Adapted {
  readonly story: Story
  readonly exceptions: readonly Exception[]
}

export const ON_LOOPBACK = 'nothing of this mode is on loopback: neither node ports nor the guard that they would need'

export function forNftables(story: Story): Adapted {
  const flags = withoutLocalhost(story.flags)
  const exceptions: Exception[] = []
  const steps = story.steps.map(step => {
    const kept = step.expectations.filter(({ about }) => about !== 'rule')
    const expectations = kept.map(expectation => {
      const { changed, reason } = adapted(expectation, step, { before: story.flags, now: flags })
      if (reason !== undefined) exceptions.push({ where: expectation.line.where, reason })
      return changed
    })
    return { ...step, expectations }
  })
  return { story: { ...story, flags, steps }, exceptions }
}

interface Change {
  readonly changed: Expectation
  readonly reason?: string
}

function adapted(expectation: Expectation, step: Step, flags: { readonly before: Flags; readonly now: Flags }): Change {
  if (expectation.about !== 'packet') return { changed: expectation }
  const { knock, ends } = expectation
  const said = fateOf(ends.map(end => ({ end, share: 1 / ends.length })))
  const { fate, because } = met({
    knock,
    said,
    step,
    flags: flags.now,
    couldLocalhost: flags.before.localhostNodePorts,
  })
  if (because === undefined || sameFate(fate, said)) return { changed: expectation }
  return { changed: { ...expectation, ends: endsOf(fate) }, reason: because }
}

interface Asked {
  readonly knock: Knock
  readonly said: Fate
  readonly step: Step
  readonly flags: Flags
  readonly couldLocalhost: boolean
}

function met({ knock, said, step, flags, couldLocalhost }: Asked): { fate: Fate; because?: string } {
  const { source: _, ...question } = knock
  const family = familyOf(knock.to)
  if (couldLocalhost && family === 'ipv4' && isLoopback(knock.to) && !said.has('untouched')) {
    return { fate: only('untouched'), because: ON_LOOPBACK }
  }
  const { objects, addresses } = step
  const packet = { ...question, nodeAddresses: addresses.filter(address => familyOf(address) === family) }
  const world = { objects, flags, addresses }
  return inNftables({ world, packet, draft: draftOf(world, family), said })
}

/** A difference refuses, drops or leaves alone: it never finds another endpoint. */
function endsOf(fate: Fate): readonly End[] {
  return [...fate.keys()].map((end): End => {
    if (end === 'untouched') return { to: end, masqueraded: false }
    if (end === 'rejected' || end === 'dropped') return { to: end }
    throw new Error(`a difference of nftables mode sends a packet to ${end}`)
  })
}
