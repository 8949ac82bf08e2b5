import { FAMILY_LABEL } from '#values/address.ts'
import { cidrFamily, prefixLength } from '#values/cidr.ts'
import type { ClusterFacts, OverviewNode } from '../cluster-facts.ts'
import { usableOf } from '../node-rows.ts'
import type { RangeRow } from '../range-rows.ts'

// What is short, or will be: nodes that get no range, nodes with fewer addresses than pods, ranges that are nearly full.

/** In per cent. Node ranges go one by one, so few that are left are few. */
const NEARLY_FULL = 90n

export function shortageWarnings(facts: ClusterFacts, rows: readonly RangeRow[]): readonly string[] {
  return [...rangelessNodes(facts), ...podShortages(facts), ...rows.flatMap(fullness)]
}

function rangelessNodes({ nodes, ring }: ClusterFacts): readonly string[] {
  const without = nodes.filter(({ podCIDRs }) => podCIDRs.length === 0)
  // Where no node has one, ranges come from elsewhere.
  if (without.length === 0 || without.length === nodes.length || ring !== undefined) return []
  return [`${nodesText(without)} ${without.length === 1 ? 'has' : 'have'} no podCIDR: no pod starts there`]
}

/** One line for all nodes of the same numbers. */
function podShortages({ nodes }: ClusterFacts): readonly string[] {
  const groups = new Map<string, OverviewNode[]>()
  for (const node of nodes)
    for (const cidr of node.podCIDRs) {
      const { first, last } = usableOf(cidr)
      const usable = last - first + 1n
      if (node.maxPods === undefined || usable >= BigInt(node.maxPods)) continue
      const text = `${node.maxPods} pods and ${usable} ${FAMILY_LABEL[cidrFamily(cidr)]} addresses (/${prefixLength(cidr)})`
      const group = groups.get(text)
      if (group === undefined) groups.set(text, [node])
      else group.push(node)
    }
  return [...groups].map(([text, group]) => {
    const each = group.length === 1 ? '' : ' each'
    return `${nodesText(group)} may have ${text}${each}: the last pods get none`
  })
}

function nodesText(nodes: readonly OverviewNode[]): string {
  const [first, second] = nodes
  if (first === undefined) return ''
  if (second === undefined) return `node ${first.name}`
  const rest = nodes.length > 2 ? ` and ${nodes.length - 2} more` : ''
  return `nodes ${first.name}${rest === '' ? ' and' : ','} ${second.name}${rest}`
}

function fullness({ kind, range, unit, size, used, free, isGuess }: RangeRow): readonly string[] {
  if (isGuess || kind === 'band' || kind === 'peer' || used === undefined || free === undefined) return []
  if (used * 100n < size * NEARLY_FULL) return []
  if (kind === 'cluster') {
    const left = free === 0n ? 'no node' : free === 1n ? '1 more node' : `${free} more nodes`
    return [`${left} can get a range of ${range}: ${used} of ${size} are taken`]
  }
  const left = free === 0n ? 'is full' : `has ${free} left`
  return [`${range} ${left}: ${used} of ${size} ${unit} are taken`]
}
