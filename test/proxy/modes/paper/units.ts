import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Unit } from '#proxy/modes/mode.ts'
import { unit } from '../../../support/units.ts'

// The units of the mode of paper, and what their texts say.

/** What a node's unit says. */
export type PaperNodeText = Pick<NodeView, 'localPods' | 'nodePortAddresses' | 'masquerade'>

/** What a frontend's unit says. */
export interface PaperFrontend
  extends Pick<Frontend, 'kind' | 'verdict' | 'admits' | 'sourceRanges' | 'sourceAddresses'>,
    Pick<ServiceTraffic, 'gate' | 'stickySeconds'> {
  readonly pools: { readonly cluster: readonly string[]; readonly local: readonly string[] }
}

const NODE = 'node'
export const NODE_UNIT = unit(NODE)

export function frontendUnit(protocol: string, at: string | undefined, port: number): Unit {
  return unit(`frontend ${protocol} ${at ?? NODE} ${port}`)
}

export function clusterIPUnit(ip: string): Unit {
  return unit(`cluster-ip ${ip}`)
}
