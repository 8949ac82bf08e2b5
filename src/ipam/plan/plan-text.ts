import { formatDuration } from '#values/duration.ts'
import { type NodePlan, SURGE } from './node-plan.ts'
import { countRow, subnetBlock, type WrittenSubnet } from './subnet-block.ts'

// A plan → the block of the subnet, then what fits into it, in lines of the same shape; or JSON.

export function planText(written: WrittenSubnet, plan: NodePlan): string {
  const { nodes, lostNodes, nodeMask, perNode, needed, podsPerNode } = plan
  const withoutServices = lostNodes > 0n ? `; ${lostNodes} more would overlap with Services` : ''
  return [
    subnetBlock(written),
    '',
    countRow('Nodes', nodes, `a /${nodeMask} each${withoutServices}`),
    countRow('Per node', perNode.usable, `of ${perNode.total}: the others are ${othersText(written)}`),
    countRow('Needed', needed.total, neededText(plan)),
    countRow('Pods', fitting(plan), `at most ${podsPerNode} on each node`),
    ...plan.warnings.map(warning => `Warning:   ${warning}`),
  ].join('\n')
}

export function planJson({ address, subnet }: WrittenSubnet, plan: NodePlan): string {
  const { nodeMask, podsPerNode, churnPerMinute, cooldownMs, nodes, lostNodes, perNode, needed, warnings } = plan
  return JSON.stringify(
    {
      ...{ address, subnet, nodeMask, podsPerNode, churnPerMinute, cooldown: formatDuration(cooldownMs) },
      ...{ nodes, lostNodes, perNode, needed, pods: fitting(plan), warnings },
    },
    // A double cannot hold every digit of what an IPv6 range has.
    (_, value: unknown) =>
      typeof value !== 'bigint' ? value : Number.isSafeInteger(Number(value)) ? Number(value) : String(value),
    2,
  )
}

function fitting({ nodes, perNode: { usable }, needed: { pods } }: NodePlan): bigint {
  return nodes * (usable < pods ? usable : pods)
}

function othersText({ subnet }: WrittenSubnet): string {
  return subnet.includes(':') ? 'the network and the gateway' : 'network, broadcast and gateway'
}

function neededText({ needed: { pods, surge, cooling }, churnPerMinute, cooldownMs }: NodePlan): string {
  const cool = `${cooling} cooling down for ${formatDuration(cooldownMs)} at ${churnPerMinute} pods a minute`
  return `${pods} pods, ${surge} more (${SURGE} %) while they are rolled out${cooling > 0n ? `, ${cool}` : ''}`
}
