import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Path } from '#proxy/modes/trace.ts'
import { familyOf } from '#values/address.ts'
import { packetOf, throws } from '../../../conformance/packets.ts'
import { worlds } from '../../../conformance/worlds.ts'
import { type Fate, fateOf, sameFate } from '../../../support/fate.ts'
import { oracle } from '../../../support/oracle.ts'
import { clusterIPs, draftOf, inNftables, type Meeting, withoutLocalhost } from './differences.ts'
import { modeOf } from './scene.ts'

// Random clusters and packets: the rules of nftables mode mean what kube-proxy's iptables rules mean, but for what
// differs on purpose.

const RUNS = Number(process.env.CONFORMANCE_RUNS ?? 2000)
const SEED = process.env.CONFORMANCE_SEED

test(`the rules of ${RUNS} random clusters mean what kube-proxy's mean`, { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(worlds, throws, (anyWorld, dice) => {
      const world = { ...anyWorld, flags: withoutLocalhost(anyWorld.flags) }
      const drafts = { ipv4: draftOf(world, 'ipv4'), ipv6: draftOf(world, 'ipv6') }
      for (const packet of dice.map(one => packetOf(world, one))) {
        const draft = drafts[familyOf(packet.to)]
        compare({ world, packet, draft, said: oracle(world.objects, world.flags, packet) })
      }
    }),
    { numRuns: RUNS, ...(SEED !== undefined && { seed: Number(SEED) }) },
  )
})

function compare(meeting: Meeting): void {
  const { packet, draft } = meeting
  const paths = modeOf(familyOf(packet.to)).trace(draft.book.rules, packet)
  const expected = withoutOwnHairpins(inNftables(meeting).fate, meeting)
  const found = withoutOwnHairpins(fateOf(paths), meeting)
  if (sameFate(expected, found)) return
  expect(Object.fromEntries(found), `where the rules send ${JSON.stringify(packet)}\n${shown(paths)}`).toEqual(
    Object.fromEntries(expected),
  )
}

function shown(paths: readonly Path[]): string {
  return paths
    .map(({ share, hops }) => [`${share}:`, ...hops.map(({ at, rule, did }) => `  ${at}: ${rule}: ${did}`)].join('\n'))
    .join('\n')
}

/** At a cluster IP, a pod that reaches itself is masqueraded only where its slice says that it is on this node. */
function withoutOwnHairpins(fate: Fate, { packet: { from, to }, draft }: Meeting): Fate {
  if (!clusterIPs(draft).has(to)) return fate
  const own = new Map<string, number>()
  for (const [end, share] of fate) {
    const isOwn = end.startsWith(`${from}:`) || end.startsWith(`[${from}]:`)
    const name = isOwn ? end.replace(' masqueraded', '') : end
    own.set(name, (own.get(name) ?? 0) + share)
  }
  return own
}
