import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cluster } from '../../../src/cluster/cluster.ts'
import type { Frontend, ServiceTraffic } from '../../../src/desired/traffic.ts'
import { nftables } from '../../../src/modes/nftables/index.ts'
import type { Packet, Path } from '../../../src/modes/trace.ts'
import { Draft } from '../../../src/sync/draft.ts'
import { type Address, type Family, familyOf } from '../../../src/values/address.ts'
import { contains } from '../../../src/values/cidr.ts'
import { packetOf, throws } from '../../conformance/packets.ts'
import { type World, worlds } from '../../conformance/worlds.ts'
import { type Fate, fateOf, sameFate } from '../../fate.ts'
import { surroundings } from '../../flags.ts'
import { oracle } from '../../oracle.ts'

// Random clusters and packets: the rules of nftables mode mean what kube-proxy's iptables rules mean, but for what
// differs on purpose, and that is listed here.

const RUNS = Number(process.env.CONFORMANCE_RUNS ?? 2000)
const SEED = process.env.CONFORMANCE_SEED

interface Scene {
  readonly world: World
  readonly packet: Packet
  readonly draft: Draft
  readonly said: Fate
}

/** What the packet meets instead of what the oracle says; undefined where the difference does not concern it. */
type Difference = (scene: Scene) => Fate | undefined

const DIFFERENCES: Readonly<Record<string, Difference>> = {
  'source ranges are asked before anything else, whether or not anybody would answer': ({ packet, draft }) =>
    doorsAt(packet, draft).some(door => isKeptOut(packet, draft, door)) ? only('dropped') : undefined,

  'what is refused to others is refused to the node itself': ({ world, packet, said }) => {
    if (packet.via.hook !== 'output' || isLocal(packet.to, packet) || !said.has('untouched')) return undefined
    const toOthers = oracle(world.objects, world.flags, { ...packet, via: { hook: 'prerouting', iface: '' } })
    return toOthers.has('untouched') ? undefined : toOthers
  },

  'a node port without endpoints is refused where it would have been answered, and nowhere else': scene => {
    const { packet, draft, said } = scene
    if (!said.has('rejected') && !said.has('dropped')) return undefined
    if (!isLocal(packet.to, packet) || doorsAt(packet, draft).length > 0) return undefined
    return answersNodePorts(scene) ? undefined : only('untouched')
  },

  'an undefined port of a cluster IP is refused': ({ packet, draft, said }) => {
    const passesBy = packet.via.hook === 'output' || !isLocal(packet.to, packet)
    return said.has('untouched') && passesBy && clusterIPs(draft).has(packet.to) ? only('rejected') : undefined
  },
}

test(`the rules of ${RUNS} random clusters mean what kube-proxy's mean`, { timeout: 600_000 }, () => {
  fc.assert(
    fc.property(worlds, throws, (anyWorld, dice) => {
      // Node ports never answer on localhost in this mode.
      const world = { ...anyWorld, flags: { ...anyWorld.flags, localhostNodePorts: false } }
      const drafts = { ipv4: draftOf(world, 'ipv4'), ipv6: draftOf(world, 'ipv6') }
      for (const packet of dice.map(one => packetOf(world, one))) {
        const draft = drafts[familyOf(packet.to)]
        compare({ world, packet, draft, said: oracle(world.objects, world.flags, packet) })
      }
    }),
    { numRuns: RUNS, ...(SEED !== undefined && { seed: Number(SEED) }) },
  )
})

function modeOf(family: Family) {
  return nftables({ family, chainRemoval: 'at-once' })
}

function draftOf({ objects, flags, addresses }: World, family: Family): Draft {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const draft = new Draft(cluster, modeOf(family), surroundings({ flags, family, addresses }))
  draft.update()
  return draft
}

function compare(scene: Scene): void {
  const { packet, draft, said } = scene
  const paths = modeOf(familyOf(packet.to)).trace(draft.book.rules, packet)
  const differing = Object.values(DIFFERENCES).map(difference => difference(scene))
  const expected = withoutOwnHairpins(differing.find(fate => fate !== undefined) ?? said, scene)
  const found = withoutOwnHairpins(fateOf(paths), scene)
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
function withoutOwnHairpins(fate: Fate, { packet: { from, to }, draft }: Scene): Fate {
  if (!clusterIPs(draft).has(to)) return fate
  const own = new Map<string, number>()
  for (const [end, share] of fate) {
    const isOwn = end.startsWith(`${from}:`) || end.startsWith(`[${from}]:`)
    const name = isOwn ? end.replace(' masqueraded', '') : end
    own.set(name, (own.get(name) ?? 0) + share)
  }
  return own
}

interface Door {
  readonly traffic: ServiceTraffic
  readonly frontend: Frontend
}

function doorsAt({ to, port, protocol }: Packet, draft: Draft): readonly Door[] {
  const doors = [...draft.resolved()].flatMap(({ traffic }) =>
    traffic.frontends.map(frontend => ({ traffic, frontend })),
  )
  return doors.filter(
    ({ traffic, frontend }) => traffic.protocol === protocol && frontend.ip === to && frontend.port === port,
  )
}

function isKeptOut({ from }: Packet, draft: Draft, { traffic, frontend }: Door): boolean {
  const ranges = frontend.sourceRanges
  if (ranges === undefined || ranges.some(range => contains(range, from))) return false
  const nodeIP = draft.surroundings?.view.nodeIP
  const ownAddresses = traffic.frontends.filter(({ kind }) => kind === 'load-balancer').map(({ ip }) => ip)
  return !(nodeIP !== undefined && ranges.some(range => contains(range, nodeIP)) && ownAddresses.includes(from))
}

function answersNodePorts({ packet: { to }, draft }: Scene): boolean {
  const answering = draft.surroundings!.view.nodePortAddresses
  return !isLoopback(to) && (answering === 'all' || answering.includes(to))
}

function clusterIPs(draft: Draft): ReadonlySet<Address | undefined> {
  const frontends = [...draft.resolved()].flatMap(({ traffic }) => traffic.frontends)
  return new Set(frontends.filter(({ kind }) => kind === 'cluster-ip').map(({ ip }) => ip))
}

function isLocal(ip: Address, { nodeAddresses }: Packet): boolean {
  return isLoopback(ip) || nodeAddresses.includes(ip)
}

function isLoopback(ip: Address): boolean {
  return ip === '::1' || ip.startsWith('127.')
}

function only(end: string): Fate {
  return new Map([[end, 1]])
}
