import type { Service } from '#kubernetes/objects.ts'
import type { Family } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import type { FollowedSource } from './followed.ts'

// The Services of the cluster as this node serves them.

export interface ServiceSource extends FollowedSource {
  /** False while lists of the API server have not all arrived. */
  readonly isComplete: () => boolean
  /** In any order. */
  services(): Iterable<Service>
  service(name: string): Service | undefined
  endpointCounts(service: ObjectName): EndpointCounts
  /** Whether an endpoint of it has an address, or address and port, that begins so. */
  hasEndpoint(service: ObjectName, start: string): boolean
  /** Services with rules that the kernel refuses, each with a reason. */
  refused(): ReadonlyMap<string, string>
  families(service: ObjectName): readonly ServedFamily[]
}

export interface EndpointCounts {
  readonly total: number
  readonly ready: number
  readonly local: number
}

/** A Service in one family: what the lane of that family makes of it. */
export interface ServedFamily {
  readonly family: Family
  readonly ports: readonly ServedPort[]
  /** What the tools of the kernel read for this Service alone. */
  readonly rules: readonly RulesText[]
}

export interface RulesText {
  /** `iptables-restore --noflush`, as it is run. */
  readonly reader: string
  readonly text: string
}

export interface ServedPort {
  /** `http`, empty where the port has no name. */
  readonly name: string
  readonly protocol: string
  readonly port: number
  readonly frontends: readonly ServedFrontend[]
  readonly endpoints: readonly ServedEndpoint[]
  /** Why the kernel does not have the rules. */
  readonly refused?: string
  /** Frontends it asks for and another Service has. */
  readonly lost: readonly { readonly frontend: string; readonly holder: string }[]
}

export interface ServedFrontend {
  readonly kind: 'cluster-ip' | 'external-ip' | 'load-balancer' | 'node-port'
  /** `10.96.0.10:53`; of a node port `:30080`. */
  readonly at: string
  /** Where `explain` can be asked about it; a node port has one of the node's addresses. */
  readonly goal?: string
  readonly goes: FrontendGoal
  readonly sourceRanges: readonly string[]
}

/** In which words what a frontend does is said. */
export type FrontendGoal =
  | { readonly to: 'endpoints'; readonly count: number; readonly pool: 'cluster' | 'local' }
  /** Clients inside and outside of the cluster are treated differently. */
  | { readonly to: 'gate'; readonly inside: number; readonly outside: number | 'dropped'; readonly policy: string }
  | { readonly to: 'rejected' }
  | { readonly to: 'dropped' }

export interface ServedEndpoint {
  /** `10.244.1.2:3306` */
  readonly text: string
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly isLocal: boolean
  readonly node?: string
  readonly zone?: string
  /** New connections may go there. */
  readonly use: 'in use' | 'local only' | 'leaving' | 'not used'
}
