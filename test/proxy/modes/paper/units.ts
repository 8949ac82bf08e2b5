import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'

// The units of the mode of paper, and what their texts say.

/** What a node's unit says. */
export type PaperNodeText = Pick<NodeView, 'localPods' | 'nodePortAddresses' | 'masquerade'>

/** What a frontend's unit says. */
export interface PaperFrontend
  extends Pick<Frontend, 'kind' | 'verdict' | 'admits' | 'sourceRanges' | 'sourceAddresses'>,
    Pick<ServiceTraffic, 'gate' | 'stickySeconds'> {
  readonly pools: { readonly cluster: readonly string[]; readonly local: readonly string[] }
}

export const NODE_UNIT = 'node'

export function frontendUnit(protocol: string, at: string | undefined, port: number): string {
  return `frontend ${protocol} ${at ?? NODE_UNIT} ${port}`
}

export function clusterIPUnit(ip: string): string {
  return `cluster-ip ${ip}`
}
