import type { End, Packet } from '#proxy/modes/trace.ts'
import { familyOf } from '#values/address.ts'
import * as ipvs from '../proxy/modes/ipvs/differences.ts'
import { draftOf, inNftables, isLoopback, only, withoutLocalhost } from '../proxy/modes/nftables/differences.ts'
import { type Fate, fateOf, sameFate } from '../support/fate.ts'
import type { Flags } from '../support/flags.ts'
import type { Expectation, StoryPacket } from './expectations.ts'
import type { Step, Story } from './story.ts'

// A story written for iptables mode → the same story for another mode: intended differences are changed in the story,
// each with its reason, and lines about iptables' own rules are left out. Everything else must hold word for word.

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
  return adapted(story, ({ packet, said, world }) =>
    inNftables({ world, packet, draft: draftOf(world, familyOf(packet.to)), said }),
  )
}

export function forIpvs(story: Story): Adapted {
  return adapted(story, ({ packet, world }) =>
    ipvs.inIpvs({ world, packet, draft: ipvs.draftOf(world, familyOf(packet.to)) }),
  )
}

interface PacketCase {
  readonly packet: Packet
  /** The ends that the story states for iptables mode. */
  readonly said: Fate
  readonly world: ipvs.World
}

interface Met {
  readonly fate: Fate
  /** Absent where nothing differs. */
  readonly because?: string
}

function adapted(story: Story, meets: (packet: PacketCase) => Met): Adapted {
  const flags = withoutLocalhost(story.flags)
  const exceptions: Exception[] = []
  const steps = story.steps.map(step => {
    const kept = step.expectations.filter(({ about }) => about !== 'rule')
    const expectations = kept.map(expectation => {
      const { changed, reason } = changedBy(expectation, step, { before: story.flags, now: flags, meets })
      if (reason !== undefined) exceptions.push({ where: expectation.line.where, reason })
      return changed
    })
    return { ...step, expectations }
  })
  return { story: { ...story, flags, steps }, exceptions }
}

interface Terms {
  readonly before: Flags
  readonly now: Flags
  readonly meets: (packet: PacketCase) => Met
}

interface Change {
  readonly changed: Expectation
  readonly reason?: string
}

function changedBy(expectation: Expectation, step: Step, terms: Terms): Change {
  if (expectation.about !== 'packet') return { changed: expectation }
  const { packet, ends } = expectation
  const said = fateOf(ends.map(end => ({ end, share: 1 / ends.length })))
  const { fate, because } = met({ sent: packet, said, step }, terms)
  if (because === undefined || sameFate(fate, said)) return { changed: expectation }
  return { changed: { ...expectation, ends: endsOf(fate) }, reason: because }
}

interface StatedPacket {
  readonly sent: StoryPacket
  readonly said: Fate
  readonly step: Step
}

function met({ sent, said, step: { objects, addresses } }: StatedPacket, { before, now, meets }: Terms): Met {
  const { source: _, ...first } = sent
  const family = familyOf(sent.to)
  if (before.localhostNodePorts && family === 'ipv4' && isLoopback(sent.to) && !said.has('untouched')) {
    return { fate: only('untouched'), because: ON_LOOPBACK }
  }
  const packet = { ...first, nodeAddresses: addresses.filter(address => familyOf(address) === family) }
  return meets({ packet, said, world: { objects, flags: now, addresses } })
}

function endsOf(fate: Fate): readonly End[] {
  return [...fate.keys()].map((end): End => {
    if (end === 'untouched') return { to: end, masqueraded: false }
    if (end === 'rejected' || end === 'dropped') return { to: end }
    const [endpoint = '', how] = end.split(' ')
    return { to: 'endpoint', endpoint, masqueraded: how === 'masqueraded' }
  })
}
