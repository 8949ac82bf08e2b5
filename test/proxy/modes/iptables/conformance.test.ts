import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import type { Ruleset } from '#proxy/modes/mode.ts'
import type { Packet, Path } from '#proxy/modes/trace.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { type Family, familyOf } from '#values/address.ts'
import { packetOf, throws } from '../../../conformance/packets.ts'
import { type World, worlds } from '../../../conformance/worlds.ts'
import { fateOf, sameFate } from '../../../support/fate.ts'
import { nodeFacts } from '../../../support/flags.ts'
import { oracle } from '../../../support/oracle.ts'

// Random clusters and packets: the ends that the emitted rules give a packet equal those of the oracle, which sees only
// the objects.

const RUNS = Number(process.env.CONFORMANCE_RUNS ?? 2000)
/** Printed with a failure and in the title: CONFORMANCE_SEED repeats a run. */
const SEED = Number(process.env.CONFORMANCE_SEED ?? Math.floor(Math.random() * 2 ** 31))

const MODES = {
  ipv4: iptables({ family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' }),
  ipv6: iptables({ family: 'ipv6', variant: 'nft', restore: 'ip6tables-restore', save: 'ip6tables-save' }),
} as const

test(`the rules of ${RUNS} random clusters mean what kube-proxy's mean (seed ${SEED})`, { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(worlds, throws, (world, dice) => {
      const lanes = new Map<Family, Ruleset>()
      for (const packet of dice.map(one => packetOf(world, one))) {
        const family = familyOf(packet.to)
        const rules = lanes.get(family) ?? rulesOf(world, family)
        lanes.set(family, rules)
        compare(world, packet, MODES[family].trace(rules, packet))
      }
    }),
    { numRuns: RUNS, seed: SEED },
  )
})

function rulesOf({ objects, ...world }: World, family: Family): Ruleset {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const draft = new Draft(cluster, MODES[family], nodeFacts({ ...world, family }))
  draft.update()
  return draft.book.rules
}

function compare({ objects, flags }: World, packet: Packet, paths: readonly Path[]): void {
  const expected = oracle(objects, flags, packet)
  const found = fateOf(paths)
  if (sameFate(expected, found)) return
  const hops = paths.map(({ share, hops }) => [`${share}:`, ...hops.map(hop => `  ${hop.rule}: ${hop.did}`)].join('\n'))
  const where = `${JSON.stringify(packet)}\n${hops.join('\n')}`
  expect(Object.fromEntries(found), `where the rules send ${where}`).toEqual(Object.fromEntries(expected))
}
