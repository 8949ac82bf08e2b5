import type { Service, ServicePortSpec } from '#kubernetes/objects.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import { type ObjectName, portId } from '#values/names.ts'
import type { Protocol } from '#values/protocol.ts'

// Services → the Service port that owns each frontend. Two Services may name the same address and port; the older one
// has it, then the one whose name comes first. When the owner is deleted, the frontend goes to the next claim.

/** One address and port that clients connect to: `tcp 10.96.0.10 53`, or `tcp ipv4 node 30080`. */
export type FrontendKey = string

export interface Claim {
  /** `shop/cart:http` */
  readonly owner: string
  readonly service: ObjectName
  readonly created: number
}

export function addressFrontend(protocol: Protocol, ip: Address, port: number): FrontendKey {
  return `${protocol} ${ip} ${port}`
}

export function nodePortFrontend(protocol: Protocol, family: Family, port: number): FrontendKey {
  return `${protocol} ${family} node ${port}`
}

export class Claims {
  readonly #claims = new Map<FrontendKey, readonly Claim[]>()

  /** Records what `next` claims instead of what `previous` claimed; returns the Services that may be affected. */
  replace(previous: Service | undefined, next: Service | undefined): ReadonlySet<ObjectName> {
    const touched = new Set<ObjectName>()
    for (const [frontend, claim] of claimedFrontends(previous))
      this.#change(frontend, touched, claims => claims.filter(({ owner }) => owner !== claim.owner))
    for (const [frontend, claim] of claimedFrontends(next))
      this.#change(frontend, touched, claims => [...claims, claim].sort(byAge))
    return touched
  }

  /** The claim that has the frontend. */
  holder(frontend: FrontendKey): Claim | undefined {
    return this.#claims.get(frontend)?.[0]
  }

  #change(frontend: FrontendKey, touched: Set<ObjectName>, edit: (claims: readonly Claim[]) => readonly Claim[]): void {
    const before = this.#claims.get(frontend) ?? []
    const after = edit(before)
    if (after.length === 0) this.#claims.delete(frontend)
    else this.#claims.set(frontend, after)
    if (before.length + after.length < 2) return
    for (const claim of before) touched.add(claim.service)
    for (const claim of after) touched.add(claim.service)
  }
}

/** False for headless Services and ExternalNames: they have no frontends. */
export function isServed(service: Service): boolean {
  return service.type !== 'ExternalName' && service.clusterIPs.length > 0
}

function claimedFrontends(service: Service | undefined): readonly (readonly [FrontendKey, Claim])[] {
  if (service === undefined || !isServed(service)) return []
  const families = service.clusterIPs.map(familyOf)
  const ips = [...service.clusterIPs, ...service.externalIPs, ...service.loadBalancerIPs].filter(ip =>
    families.includes(familyOf(ip)),
  )
  return service.ports.flatMap(port => {
    const claim = claimOf(service, port)
    const atAddresses = [...new Set(ips)].map(ip => [addressFrontend(port.protocol, ip, port.port), claim] as const)
    if (port.nodePort === undefined) return atAddresses
    const { protocol, nodePort } = port
    return [...atAddresses, ...families.map(family => [nodePortFrontend(protocol, family, nodePort), claim] as const)]
  })
}

function claimOf(service: Service, port: ServicePortSpec): Claim {
  return { owner: portId(service.name, port.name), service: service.name, created: service.created }
}

/** The Service's own name counts before the port's: `shop/a` comes before `shop/a-b`, though `shop/a:http` does not. */
function byAge(a: Claim, b: Claim): number {
  return a.created - b.created || byText(a.service, b.service) || byText(a.owner, b.owner)
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
