import type { ApiObject } from '#lab/api-server/object.ts'
import { type Cidr, cidrFamily, parseCidr, prefixLength } from '#values/cidr.ts'
import { type PortRange, parsePortRange } from '#values/port-range.ts'

// kube-apiserver's flags for what Services draw from → ranges, and the ServiceCIDR objects that are the truth of them.

export interface ServiceRangeFlags {
  /** `--service-cluster-ip-range`: one range, or one of each family with a comma between; Services that name no family get the first. */
  readonly clusterIPs?: string
  /** `--service-node-port-range`. */
  readonly nodePorts?: string
}

const CLUSTER_IPS = '10.96.0.0/16'
const NODE_PORTS = '30000-32767'

export function clusterIPRanges({ clusterIPs = CLUSTER_IPS }: ServiceRangeFlags): readonly Cidr[] {
  const cidrs = clusterIPs.split(',').map(text => {
    const cidr = parseCidr(text.trim())
    if (cidr === undefined) throw bad(`${JSON.stringify(text)} is no range such as 10.96.0.0/16`)
    const wide = cidrFamily(cidr) === 'ipv6' ? prefixLength(cidr) < 64 : false
    if (wide) throw bad(`${cidr} is wider than /64, the widest that kube-apiserver takes`)
    return cidr
  })
  if (cidrs.length > 2) throw bad(`${clusterIPs} has ${cidrs.length} ranges; there is one of each family`)
  if (cidrs[1] !== undefined && cidrFamily(cidrs[0]!) === cidrFamily(cidrs[1]))
    throw bad(`${clusterIPs} has two ranges of one family`)
  return cidrs
}

function bad(why: string): Error {
  return new Error(`--service-cluster-ip-range: ${why}`)
}

export function nodePortRange({ nodePorts = NODE_PORTS }: ServiceRangeFlags): PortRange {
  const range = parsePortRange(nodePorts)
  if (range === undefined || range === 'any') {
    throw new Error(`--service-node-port-range: ${JSON.stringify(nodePorts)} is no range such as ${NODE_PORTS}`)
  }
  return range
}

export const SERVICE_CIDR_FINALIZER = 'networking.k8s.io/service-cidr-finalizer'

/** As the API server makes it of its flags. */
export function defaultServiceCIDR(cidrs: readonly Cidr[], time: string): ApiObject {
  return readyServiceCIDR({ metadata: { name: 'kubernetes' }, spec: { cidrs } }, time)
}

/** With the finalizer and the condition that a controller of the real cluster gives it. */
export function readyServiceCIDR(object: ApiObject, time: string): ApiObject {
  const status = {
    conditions: [
      {
        ...{ type: 'Ready', status: 'True', reason: '', message: 'Kubernetes Service CIDR is ready' },
        lastTransitionTime: time,
      },
    ],
  }
  return { ...object, metadata: { ...object.metadata, finalizers: [SERVICE_CIDR_FINALIZER] }, status }
}

/** Those that addresses may be drawn from, that of the flags first. */
export function readyRanges(serviceCIDRs: readonly ApiObject[]): readonly Cidr[] {
  const first = ({ metadata }: ApiObject) => (metadata.name === 'kubernetes' ? '' : (metadata.name ?? ''))
  return serviceCIDRs
    .filter(isReady)
    .toSorted((a, b) => (first(a) < first(b) ? -1 : 1))
    .flatMap(rangesOf)
}

export function rangesOf({ spec }: ApiObject): readonly Cidr[] {
  const { cidrs } = (spec ?? {}) as { readonly cidrs?: unknown }
  return (Array.isArray(cidrs) ? cidrs : []).flatMap(text => parseCidr(text) ?? [])
}

/** One without a condition is: in the real cluster, its controller may be away. */
function isReady({ metadata, status }: ApiObject): boolean {
  if (metadata.deletionTimestamp !== undefined) return false
  const { conditions = [] } = (status ?? {}) as { readonly conditions?: readonly { type: string; status: string }[] }
  return conditions.every(({ type, status }) => type !== 'Ready' || status === 'True')
}
