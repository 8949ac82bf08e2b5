import type { IpamSettings } from '#config/settings.ts'
import { nodeMasks, nodePlan, usualNodeMask } from '#ipam/plan/node-plan.ts'
import { planJson, planText } from '#ipam/plan/plan-text.ts'
import { parseAddress } from '#values/address.ts'
import { type Cidr, parseCidr } from '#values/cidr.ts'
import type { IpamAnswer } from './answer.ts'

// `ipam plan`: a subnet → what fits into it.

/** 1 where a node has fewer addresses than pods. */
export function plan(text: string, { output, plan: settings }: IpamSettings, cooldownMs: number): IpamAnswer {
  const [subnet, address] = [parseCidr(text), parseAddress(text.split('/')[0])]
  if (subnet === undefined || address === undefined) {
    throw new Error(`ipam plan: ${JSON.stringify(text)} is no subnet; one such as 10.244.0.0/16 is wanted`)
  }
  const { podsPerNode, churnPerMinute, serviceRanges: excluded } = settings
  const nodeMask = nodeMaskOf(subnet, settings.nodeMask)
  const found = nodePlan({ subnet, nodeMask, podsPerNode, churnPerMinute, cooldownMs, excluded })
  const written = { address, subnet }
  const fits = found.nodes > 0n && found.perNode.usable >= found.needed.pods
  return { text: output === 'json' ? planJson(written, found) : planText(written, found), status: fits ? 0 : 1 }
}

function nodeMaskOf(subnet: Cidr, given: number | undefined): number {
  const [least, most] = nodeMasks(subnet)
  const mask = given ?? usualNodeMask(subnet)
  if (least > most) throw new Error(`ipam plan: ${subnet} is too small for pods: a node needs a /${most} at least`)
  if (mask >= least && mask <= most) return mask
  throw new Error(`--node-mask: invalid value ${mask}: must be from ${least}, that of ${subnet} itself, to ${most}`)
}
