import { ADDRESS_BITS } from '#values/address.ts'
import { type Cidr, cidrFamily, overlaps, prefixLength } from '#values/cidr.ts'
import { type JsonNode, memberOf, textAt } from '../json/node.ts'
import { below, type Place } from '../keys/check-keys.ts'
import { type AddressingPlugin, addressingPlugins, rangesOf, type WrittenRange } from './addressing.ts'

// The ranges of a configuration → those that meet another network's, a route of this node, or the range of Services; and
// bridges that two networks share. Two owners of one address are found here before the first pod is, instead of by packets
// that go astray.

export interface Neighbours {
  readonly networks: readonly NeighbourNetwork[]
  readonly routes: readonly NodeRoute[]
  readonly serviceRanges: readonly Cidr[]
}

export interface NeighbourNetwork {
  readonly file: string
  readonly root: JsonNode
}

/** A route of the node; default routes hold everything, and are none of these. */
export interface NodeRoute {
  readonly destination: Cidr
  /** The link it leaves by. */
  readonly link: string
}

export const NO_NEIGHBOURS: Neighbours = { networks: [], routes: [], serviceRanges: [] }

export function checkOverlaps(root: JsonNode, neighbours: Neighbours, place: Place): void {
  const name = textAt(root, 'name')
  const isSame = (other: NeighbourNetwork): boolean => name !== undefined && textAt(other.root, 'name') === name
  const namesake = neighbours.networks.find(isSame)
  if (namesake !== undefined) {
    const sentence = `name: network ${JSON.stringify(name)} stands in ${namesake.file}, too; runtimes take the file that comes first`
    place.findings.doubt(memberOf(root, 'name')!.value.at, 'name', sentence)
  }
  const others = neighbours.networks.filter(other => !isSame(other))
  for (const plugin of addressingPlugins(root)) {
    checkBridge(plugin, others, place)
    for (const range of rangesOf(plugin)) {
      if (!plugin.mayOverlap) checkNetworks(range, others, place)
      checkNode(range, { plugin, neighbours }, place)
    }
  }
}

function checkNetworks(
  { subnet, at, path }: WrittenRange,
  others: readonly NeighbourNetwork[],
  { findings }: Place,
): void {
  for (const other of others) {
    const ranges = addressingPlugins(other.root)
      .filter(({ mayOverlap }) => !mayOverlap)
      .flatMap(rangesOf)
    const met = ranges.find(range => overlaps(subnet, range.subnet))
    if (met === undefined) continue
    const hint = 'give each its own, or write "overlap": "allow" where they never meet'
    findings.refuse(at, path, `${path}: ${subnet} overlaps with ${met.subnet} of ${whose(other)}; ${hint}`)
  }
}

interface NodeSide {
  readonly plugin: AddressingPlugin
  readonly neighbours: Neighbours
}

function checkNode({ subnet, at, path }: WrittenRange, { plugin, neighbours }: NodeSide, { findings }: Place): void {
  for (const service of neighbours.serviceRanges.filter(range => overlaps(subnet, range))) {
    const sentence = `${path}: ${subnet} overlaps with the range of Services, ${service}; a pod there could not be reached`
    findings.refuse(at, path, sentence)
  }
  for (const { destination, link } of neighbours.routes.filter(route => overlaps(subnet, route.destination)))
    if (link !== plugin.link && !(plugin.isPointToPoint && isOfOneAddress(destination)))
      findings.doubt(at, path, `${path}: ${subnet} overlaps with a route of this node, ${destination} by ${link}`)
}

function isOfOneAddress(range: Cidr): boolean {
  return prefixLength(range) === ADDRESS_BITS[cidrFamily(range)]
}

/** The second network's first pod would fail: the bridge has another network's gateway address. */
function checkBridge(plugin: AddressingPlugin, others: readonly NeighbourNetwork[], { findings }: Place): void {
  if (!plugin.hasGateway) return
  const at = memberOf(plugin.node, 'bridge')?.value.at ?? plugin.node.at
  const path = below(plugin.path, 'bridge')
  const families = new Set(rangesOf(plugin).map(({ subnet }) => cidrFamily(subnet)))
  for (const other of others) {
    const shares = addressingPlugins(other.root).some(
      it =>
        it.hasGateway && it.link === plugin.link && rangesOf(it).some(({ subnet }) => families.has(cidrFamily(subnet))),
    )
    if (!shares) continue
    const sentence = `${path}: ${plugin.link} is the bridge of ${whose(other)}, too, and can have one gateway address; give each network a bridge of its own`
    findings.refuse(at, path, sentence)
  }
}

function whose({ file, root }: NeighbourNetwork): string {
  return `network ${JSON.stringify(textAt(root, 'name') ?? '')} (${file})`
}
