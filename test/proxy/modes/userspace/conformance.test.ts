import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { Ruleset } from '#proxy/modes/mode.ts'
import type { Packet, Path } from '#proxy/modes/trace.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { type Family, familyOf } from '#values/address.ts'
import { packetOf, throws } from '../../../conformance/packets.ts'
import { type World, worlds } from '../../../conformance/worlds.ts'
import { fateOf, sameFate } from '../../../support/fate.ts'
import { nodeFacts } from '../../../support/flags.ts'
import { userspaceOracle } from './differences.ts'
import { userspaceIn } from './tools.ts'

// Random clusters and packets: userspace mode leads clients to the same endpoints as kube-proxy's rules, but every
// client arrives with the node's address. Left out: SCTP, which is refused, and loopback, where node ports answer in
// this mode.

const RUNS = Number(process.env.CONFORMANCE_RUNS ?? 1000)
const SEED = Number(process.env.CONFORMANCE_SEED ?? Math.floor(Math.random() * 2 ** 31))
const MODES = { ipv4: userspaceIn('ipv4'), ipv6: userspaceIn('ipv6') } as const

test.each(['flat', 'tree'] as const)(
  `the rules of ${RUNS} random clusters mean what kube-proxy's mean (%s; seed ${SEED})`,
  dispatch => {
    fc.assert(
      fc.property(worlds, throws, (world, dice) => {
        const lanes = new Map<Family, Ruleset>()
        for (const packet of dice.map(one => packetOf(world, one)).filter(isOurs)) {
          const family = familyOf(packet.to)
          const rules = lanes.get(family) ?? rulesOf(world, family, dispatch)
          lanes.set(family, rules)
          compare(world, packet, MODES[family].trace(rules, packet))
        }
      }),
      { numRuns: RUNS, seed: SEED },
    )
  },
  600_000,
)

function isOurs({ protocol, to }: Packet): boolean {
  return protocol !== 'sctp' && !to.startsWith('127.') && to !== '::1'
}

function rulesOf({ objects, ...world }: World, family: Family, dispatch: 'flat' | 'tree'): Ruleset {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const draft = new Draft(cluster, MODES[family], nodeFacts({ ...world, family, dispatch }))
  draft.update()
  return draft.book.rules
}

function compare({ objects, flags }: World, packet: Packet, paths: readonly Path[]): void {
  const expected = userspaceOracle(objects, flags, packet)
  const found = fateOf(paths)
  if (sameFate(expected, found)) return
  const hops = paths.map(({ share, hops }) => [`${share}:`, ...hops.map(hop => `  ${hop.rule}: ${hop.did}`)].join('\n'))
  const where = `${JSON.stringify(packet)}\n${hops.join('\n')}`
  expect(Object.fromEntries(found), `where the rules send ${where}`).toEqual(Object.fromEntries(expected))
}
