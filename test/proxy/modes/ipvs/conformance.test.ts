import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Path } from '#proxy/modes/trace.ts'
import { familyOf } from '#values/address.ts'
import { packetOf, throws } from '../../../conformance/packets.ts'
import { worlds } from '../../../conformance/worlds.ts'
import { fateOf, sameFate } from '../../../support/fate.ts'
import { draftOf, inIpvs, isForged, type Meeting, withoutLocalhost, withoutOwnHairpins } from './differences.ts'
import { modeOf } from './scene.ts'

// Random clusters and packets: sets, rules and virtual servers mean what kube-proxy's iptables rules mean, but for what
// IPVS cannot do and what differs on purpose.

const RUNS = Number(process.env.CONFORMANCE_RUNS ?? 2000)
const SEED = process.env.CONFORMANCE_SEED

test(`the rules of ${RUNS} random clusters mean what kube-proxy's mean`, { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(worlds, throws, (anyWorld, dice) => {
      const world = { ...anyWorld, flags: withoutLocalhost(anyWorld.flags) }
      const drafts = { ipv4: draftOf(world, 'ipv4'), ipv6: draftOf(world, 'ipv6') }
      for (const packet of dice.map(one => packetOf(world, one))) {
        const draft = drafts[familyOf(packet.to)]
        if (!isForged({ world, packet, draft })) compare({ world, packet, draft })
      }
    }),
    { numRuns: RUNS, ...(SEED !== undefined && { seed: Number(SEED) }) },
  )
})

function compare(meeting: Omit<Meeting, 'said'>): void {
  const { packet, draft } = meeting
  const paths = modeOf(familyOf(packet.to)).trace(draft.book.rules, packet)
  const expected = withoutOwnHairpins(inIpvs(meeting).fate, packet)
  const found = withoutOwnHairpins(fateOf(paths), packet)
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
