import type { Cidr } from '#values/cidr.ts'
import { type PortRange, parsePortRange } from '#values/port-range.ts'
import { configuredCidr, parseListen, splitRanges } from './addresses.ts'
import type { Choices } from './choices.ts'
import type { RangesSettings } from './settings.ts'

// What was chosen → the settings of `ranges`: what the controller divides, and what the table and the plan are made with.

export function nodeRanges(choices: Choices): RangesSettings {
  const metrics = parseListen(choices.text('--ranges-metrics-bind-address'))
  return {
    nodeMask: choices.number('--node-cidr-mask-size'),
    nodeMaskOf: {
      ipv4: choices.number('--node-cidr-mask-size-ipv4'),
      ipv6: choices.number('--node-cidr-mask-size-ipv6'),
    },
    serviceRanges: ranges(splitRanges(choices.text('--service-cluster-ip-range'))),
    nodePorts: portRange(choices.text('--service-node-port-range')),
    plan: { maxPods: choices.number('--max-pods'), nodes: choices.number('--nodes') },
    cooldownMs: choices.number('--node-cidr-cooldown'),
    leader: {
      elect: choices.isOn('--leader-elect'),
      leaseMs: choices.number('--leader-elect-lease-duration'),
      renewMs: choices.number('--leader-elect-renew-deadline'),
      retryMs: choices.number('--leader-elect-retry-period'),
      name: choices.text('--leader-elect-resource-name'),
      namespace: choices.text('--leader-elect-resource-namespace'),
    },
    ...(metrics !== undefined && { metrics }),
  }
}

/** Validation has read it already. */
function portRange(text: string): PortRange {
  const range = parsePortRange(text)
  return range === undefined || range === 'any' ? { first: 30_000, last: 32_767 } : range
}

export /** Ranges that the chosen mode does not use are not validated: what is unsound among them is left out. */
function ranges(texts: readonly string[]): readonly Cidr[] {
  return texts.map(configuredCidr).filter(cidr => cidr !== undefined)
}
