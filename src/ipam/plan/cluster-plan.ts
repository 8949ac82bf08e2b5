import { clusterIPBands, nodePortBands } from '#ipam/services/bands.ts'
import { type Cidr, overlaps } from '#values/cidr.ts'
import type { PortRange } from '#values/port-range.ts'
import { type NodePlan, nodePlan } from './node-plan.ts'

// The ranges of a cluster that does not exist yet → what fits into each, and what runs out first.

export interface ClusterPlanRequest {
  /** One of each family, with the length of a node's range. */
  readonly clusterRanges: readonly { readonly range: Cidr; readonly nodeMask: number }[]
  readonly serviceRanges: readonly Cidr[]
  readonly nodePorts: PortRange
  readonly maxPods: number
  /** 0: as many as fit. */
  readonly nodes: number
  readonly cooldownMs: number
}

export interface ClusterPlan {
  readonly rows: readonly PlanRow[]
  readonly first: string
  readonly warnings: readonly string[]
  readonly fits: boolean
}

export interface PlanRow {
  readonly what: string
  readonly range: string
  readonly fits: bigint
  readonly wanted: bigint | undefined
  readonly note: string
}

export function clusterPlan(request: ClusterPlanRequest): ClusterPlan {
  const { clusterRanges, serviceRanges, maxPods, cooldownMs } = request
  const plans = clusterRanges.map(({ range, nodeMask }) =>
    nodePlan({ subnet: range, nodeMask, podsPerNode: maxPods, churnPerMinute: 0, cooldownMs, excluded: serviceRanges }),
  )
  const rows = [...plans.flatMap(plan => podRows(plan, request)), ...serviceRows(request)]
  const short = rows.filter(({ fits, wanted }) => wanted !== undefined && wanted > fits)
  const overlapping = clusterRanges.flatMap(({ range }) =>
    serviceRanges.filter(one => overlaps(one, range)).map(one => `${range} overlaps the range of Services ${one}`),
  )
  const warnings = [...overlapping, ...plans.flatMap(plan => plan.warnings)]
  return { rows, first: first(rows, short), warnings: [...new Set(warnings)], fits: short.length === 0 }
}

function podRows(plan: NodePlan, { nodes: wanted, maxPods }: ClusterPlanRequest): readonly PlanRow[] {
  const { subnet, nodeMask, nodes, lostNodes, perNode } = plan
  const each = perNode.usable < BigInt(maxPods) ? perNode.usable : BigInt(maxPods)
  // As many as fit; but one at least.
  const nodesWanted = wanted === 0 ? (nodes === 0n ? 1n : undefined) : BigInt(wanted)
  const lost = lostNodes > 0n ? `; ${lostNodes} more would overlap Services` : ''
  return [
    { what: 'nodes', range: subnet, fits: nodes, wanted: nodesWanted, note: `a /${nodeMask} each${lost}` },
    {
      ...{ what: 'pods of a node', range: `/${nodeMask}`, fits: perNode.usable, wanted: BigInt(maxPods) },
      note: `${plan.needed.total} at its busiest: a quarter more while they are rolled out`,
    },
    {
      ...{ what: 'pods', range: subnet, fits: nodes * each, note: `at most ${each} on each node` },
      wanted: nodesWanted && nodesWanted * BigInt(maxPods),
    },
  ]
}

function serviceRows({ serviceRanges, nodePorts }: ClusterPlanRequest): readonly PlanRow[] {
  const ports = nodePortBands(nodePorts)
  const clusterIPs = serviceRanges.map((range): PlanRow => {
    const { first, last, dynamicFrom } = clusterIPBands(range)
    const note = bandNote(dynamicFrom - first)
    return { what: 'Services', range, fits: last - first + 1n, wanted: undefined, note }
  })
  const range = `${nodePorts.first}-${nodePorts.last}`
  const fits = ports.last - ports.first + 1n
  return [
    ...clusterIPs,
    { what: 'node ports', range, fits, wanted: undefined, note: bandNote(ports.dynamicFrom - ports.first) },
  ]
}

function bandNote(size: bigint): string {
  return size === 0n ? 'too small for a static band' : `the first ${size} are the static band`
}

/** What is shortest by its share; where all that is wanted fits, what is closest to its end. */
function first(rows: readonly PlanRow[], short: readonly PlanRow[]): string {
  const share = ({ fits, wanted = 0n }: PlanRow): number => (fits === 0n ? Infinity : Number(wanted) / Number(fits))
  const [tightest] = (short.length > 0 ? short : rows.filter(({ wanted }) => wanted !== undefined))
    .filter(({ what }) => what !== 'pods')
    .toSorted((a, b) => share(b) - share(a))
  if (tightest === undefined) return 'Nothing is limited by these ranges.'
  const { what, range, fits, wanted } = tightest
  if (short.length > 0) return `Runs out first: ${what} (${range}): ${fits} fit, ${wanted} are wanted.`
  const percent = Math.floor(share(tightest) * 100)
  return `All of it fits. Closest to its end: ${what} (${range}): ${wanted} of ${fits}, ${percent} %.`
}
