import { capacity } from '#ipam/ranges/capacity.ts'
import { rangeSets } from '#ipam/ranges/range-config.ts'
import { baseAddress, type Cidr, cidrFamily, overlaps, prefixLength, prefixOf } from '#values/cidr.ts'

// A subnet for the pods of a cluster → how many nodes get a range of it, and how many pods each of them.

export interface PlanRequest {
  readonly subnet: Cidr
  /** The length of a node's range. */
  readonly nodeMask: number
  readonly podsPerNode: number
  /** Pods of a node that end and are replaced. */
  readonly churnPerMinute: number
  readonly cooldownMs: number
  /** Ranges of Services: no node gets addresses of these. */
  readonly excluded: readonly Cidr[]
}

export interface NodePlan extends PlanRequest {
  readonly nodes: bigint
  /** Ranges of nodes that meet an excluded one. */
  readonly lostNodes: bigint
  readonly perNode: { readonly total: bigint; readonly usable: bigint }
  readonly needed: NeededAddresses
  readonly warnings: readonly string[]
}

/** What a node needs at its busiest. */
export interface NeededAddresses {
  readonly pods: bigint
  readonly surge: bigint
  readonly cooling: bigint
  readonly total: bigint
}

/** In per cent: a Deployment that is rolled out has so many pods more, if it does not say otherwise. */
export const SURGE = 25
/** kube-controller-manager keeps a bit for each node, and refuses more than so many bits. */
const MOST_NODE_BITS = 16

/** The shortest and the longest that a node's range of this subnet may be. */
export function nodeMasks(subnet: Cidr): readonly [least: number, most: number] {
  return [prefixLength(subnet), cidrFamily(subnet) === 'ipv4' ? 30 : 126]
}

/** As kube-controller-manager does without its flags; a subnet that is smaller is that of one node. */
export function usualNodeMask(subnet: Cidr): number {
  return Math.max(prefixLength(subnet), cidrFamily(subnet) === 'ipv4' ? 24 : 64)
}

/** The mask must be one of `nodeMasks`. */
export function nodePlan(request: PlanRequest): NodePlan {
  const { subnet, nodeMask } = request
  const all = 1n << BigInt(nodeMask - prefixLength(subnet))
  const lostNodes = lost(request, all)
  const numbers = { nodes: all - lostNodes, lostNodes, perNode: ofOneNode(request), needed: needed(request) }
  return { ...request, ...numbers, warnings: warnings({ ...request, ...numbers }) }
}

function ofOneNode({ subnet, nodeMask }: PlanRequest): NodePlan['perNode'] {
  const range = prefixOf(baseAddress(subnet), nodeMask)
  const decoded = rangeSets({ ipam: { subnet: range } })
  if (!decoded.ok) throw new Error(`a node's range of /${nodeMask}: ${decoded.problems[0]!.text}`)
  return {
    total: 1n << BigInt((cidrFamily(subnet) === 'ipv4' ? 32 : 128) - nodeMask),
    usable: capacity(decoded.sets)[0]!.size,
  }
}

function lost({ subnet, nodeMask, excluded }: PlanRequest, all: bigint): bigint {
  const blocks = excluded
    .filter(range => cidrFamily(range) === cidrFamily(subnet) && overlaps(range, subnet))
    .map(range => (prefixLength(range) > nodeMask ? prefixOf(baseAddress(range), nodeMask) : range))
  if (blocks.some(range => prefixLength(range) <= prefixLength(subnet))) return all
  // Of two that overlap one lies in the other.
  const outermost = new Set(blocks.filter(one => !blocks.some(other => isAround(other, one))))
  return [...outermost].reduce((sum, block) => sum + (1n << BigInt(nodeMask - prefixLength(block))), 0n)
}

function isAround(outer: Cidr, inner: Cidr): boolean {
  return prefixLength(outer) < prefixLength(inner) && overlaps(outer, inner)
}

function needed({ podsPerNode, churnPerMinute, cooldownMs }: PlanRequest): NeededAddresses {
  const surge = BigInt(Math.ceil((podsPerNode * SURGE) / 100))
  const cooling = BigInt(Math.ceil((churnPerMinute * cooldownMs) / 60_000))
  return { pods: BigInt(podsPerNode), surge, cooling, total: BigInt(podsPerNode) + surge + cooling }
}

type Numbers = Omit<NodePlan, 'warnings'>

function warnings(plan: Numbers): readonly string[] {
  const { subnet, nodeMask, nodes, lostNodes } = plan
  const services = nodes === 0n ? 'every range of a node overlaps with that of Services' : undefined
  const few = nodes === 1n && lostNodes === 0n ? `all of ${subnet} is the range of one node` : undefined
  const bits = nodeMask - prefixLength(subnet)
  const many = `kube-controller-manager gives node ranges at most ${MOST_NODE_BITS} bits longer than the cluster's, here they are ${bits} longer`
  return [services, addressWarning(plan), few, bits > MOST_NODE_BITS ? many : undefined].filter(
    text => text !== undefined,
  )
}

function addressWarning({ perNode: { usable }, needed: { pods, total }, nodeMask }: Numbers): string | undefined {
  if (usable < pods) return `a node has ${usable} addresses for ${pods} pods: ${pods - usable} of them get none`
  if (usable < total) return `a node has ${usable} addresses and needs ${total} at its busiest: new pods wait for one`
  if (usable >= 2n * pods) return undefined
  return `a /${nodeMask} has fewer than twice as many addresses as pods: where all of a node's pods are replaced at once, some wait`
}
