import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'

// What an ADD made, in the newest version's terms. Printing it for a version leaves out what that version has no field for.

export interface CniResult {
  readonly interfaces: readonly CniInterface[]
  readonly ips: readonly CniAddress[]
  readonly routes: readonly CniRoute[]
  readonly dns: CniDns
}

export interface CniInterface {
  readonly name: string
  readonly mac?: string
  readonly mtu?: number
  /** The path of the network namespace it is in; absent for the node's own. */
  readonly sandbox?: string
  readonly socketPath?: string
  readonly pciID?: string
}

export interface CniAddress {
  readonly address: Address
  readonly prefixLength: number
  readonly gateway?: Address
  /** Which of the interfaces has it; absent in what IPAM returns. */
  readonly interface?: number
}

export interface CniRoute {
  readonly dst: Cidr
  readonly gw?: Address
  readonly mtu?: number
  readonly advmss?: number
  readonly priority?: number
  readonly table?: number
  readonly scope?: number
}

export interface CniDns {
  readonly nameservers?: readonly string[]
  readonly domain?: string
  readonly search?: readonly string[]
  readonly options?: readonly string[]
}

export const NO_RESULT: CniResult = { interfaces: [], ips: [], routes: [], dns: {} }
