import type { Policy, Service } from '#kubernetes/objects.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import { type Cidr, cidrFamily, prefixLength } from '#values/cidr.ts'
import { type ObjectName, type PortName, portId } from '#values/names.ts'
import type { Protocol } from '#values/protocol.ts'
import { addressFrontend, type Claims, type FrontendKey, isServed, nodePortFrontend } from './claims.ts'

// One Service, one family → its ports, each with just the frontends it owns.

export interface ServicePort {
  /** `shop/cart:http` */
  readonly id: string
  readonly service: ObjectName
  readonly name: PortName
  readonly protocol: Protocol
  readonly port: number
  /** Absent where an older Service has the same address and port. */
  readonly clusterIP?: Address
  readonly externalIPs: readonly Address[]
  readonly loadBalancerIPs: readonly Address[]
  readonly nodePort?: number
  /** Clients that load balancer addresses admit; empty: all. */
  readonly sourceRanges: readonly Cidr[]
  readonly externalPolicy: Policy
  readonly internalPolicy: Policy
  readonly stickySeconds?: number
  readonly healthCheckPort?: number
  readonly lost: readonly LostClaim[]
}

/** A frontend this port asked for and another Service has. */
export interface LostClaim {
  readonly frontend: FrontendKey
  readonly holder: string
}

export function servicePorts(service: Service, family: Family, claims: Claims): readonly ServicePort[] {
  const clusterIP = service.clusterIPs.find(ip => familyOf(ip) === family)
  if (!isServed(service) || clusterIP === undefined) return []
  return service.ports.map(spec => {
    const id = portId(service.name, spec.name)
    const lost: LostClaim[] = []
    const owns = (frontend: FrontendKey): boolean => {
      const holder = claims.holder(frontend)?.owner ?? id
      if (holder !== id) lost.push({ frontend, holder })
      return holder === id
    }
    const mine = (ips: readonly Address[]): readonly Address[] =>
      [...new Set(ips)].filter(ip => familyOf(ip) === family && owns(addressFrontend(spec.protocol, ip, spec.port)))
    const { nodePort } = spec
    return {
      id,
      service: service.name,
      name: spec.name,
      protocol: spec.protocol,
      port: spec.port,
      ...(mine([clusterIP]).length > 0 && { clusterIP }),
      externalIPs: mine(service.externalIPs),
      loadBalancerIPs: mine(service.loadBalancerIPs),
      ...(nodePort !== undefined && owns(nodePortFrontend(spec.protocol, family, nodePort)) && { nodePort }),
      sourceRanges: restrictions(service.sourceRanges, family),
      externalPolicy: facesOutside(service) ? service.externalPolicy : 'Cluster',
      internalPolicy: service.internalPolicy,
      ...(service.stickySeconds !== undefined && { stickySeconds: service.stickySeconds }),
      ...(service.healthCheckNodePort !== undefined && { healthCheckPort: service.healthCheckNodePort }),
      lost,
    }
  })
}

/** A policy for outside traffic left over on a Service that has become internal means nothing, as in kube-proxy. */
function facesOutside({ type, externalIPs }: Service): boolean {
  return type !== 'ClusterIP' || externalIPs.length > 0
}

/** A range of the family that holds every address lifts the restriction. */
function restrictions(ranges: readonly Cidr[], family: Family): readonly Cidr[] {
  const own = ranges.filter(range => cidrFamily(range) === family)
  return own.some(range => prefixLength(range) === 0) ? [] : own
}
