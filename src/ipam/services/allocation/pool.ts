import { ADDRESS_BITS, type Address, addressFromNumber, addressNumber } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, contains, prefixLength } from '#values/cidr.ts'
import type { PortRange } from '#values/port-range.ts'
import { clusterIPBands, freeIn, isInBands, nodePortBands } from '../bands.ts'
import type { IPFamily } from '../spec/service-spec.ts'

// Ranges and what is taken of them → an address or a port for one Service. What one request draws is held until it ends:
// no number goes to two of its ports. A dry run holds nothing and looks for nothing free; it names a stand-in.

export interface ServicePoolOptions {
  /** Ready ServiceCIDRs, in the order in which they are tried. */
  readonly cidrs: readonly Cidr[]
  readonly nodePorts: PortRange
  readonly isAddressTaken: (address: Address) => boolean
  readonly isPortTaken: (port: number) => boolean
  /** At least 0, less than 1. */
  readonly random: () => number
  readonly run: 'real' | 'dry'
}

export type Drawn<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

const FULL = 'range is full'

export class ServicePool {
  readonly #options: ServicePoolOptions
  readonly #ports = new Set<number>()

  constructor(options: ServicePoolOptions) {
    this.#options = options
  }

  /** The family of the first range is that of Services that name none. */
  get families(): readonly IPFamily[] {
    return [...new Set(this.#options.cidrs.map(ipFamilyOf))]
  }

  nextAddress(family: IPFamily): Drawn<Address> {
    const { isAddressTaken, random, run } = this.#options
    const cidrs = this.#options.cidrs.filter(cidr => ipFamilyOf(cidr) === family)
    if (run === 'dry') return cidrs[0] === undefined ? refused(FULL) : drawn(baseAddress(cidrs[0]))
    for (const cidr of cidrs) {
      const addressOf = (value: bigint) => addressFromNumber(cidrFamily(cidr), value)
      const value = freeIn(clusterIPBands(cidr), one => isAddressTaken(addressOf(one)), random)
      if (value !== undefined) return drawn(addressOf(value))
    }
    return refused(FULL)
  }

  claimAddress(address: Address): Drawn<Address> {
    const { cidrs, run, isAddressTaken } = this.#options
    const cidr = cidrs.find(one => contains(one, address) && !isEdge(one, address))
    if (cidr !== undefined) {
      return run === 'real' && isAddressTaken(address) ? refused('provided IP is already allocated') : drawn(address)
    }
    if (run === 'real') return refused('the provided network does not match the current range')
    const first = cidrs.find(one => contains(one, address)) ?? cidrs[0]
    return refused(`the provided IP (${address}) is not in the valid range. The range of valid IPs is ${first}`)
  }

  nextPort(): Drawn<number> {
    const { nodePorts, run, random } = this.#options
    if (run === 'dry') return this.#held(Math.max(STAND_IN, ...[...this.#ports].map(port => port + 1)))
    const port = freeIn(nodePortBands(nodePorts), one => this.#isTaken(Number(one)), random)
    return port === undefined ? refused(FULL) : this.#held(Number(port))
  }

  claimPort(port: number): Drawn<number> {
    const { nodePorts, run } = this.#options
    if (run === 'real' && !isInBands(nodePortBands(nodePorts), BigInt(port))) {
      const { first, last } = nodePorts
      return refused(`provided port is not in the valid range. The range of valid ports is ${first}-${last}`)
    }
    return this.#isTaken(port) ? refused('provided port is already allocated') : this.#held(port)
  }

  #isTaken(port: number): boolean {
    return this.#ports.has(port) || this.#options.isPortTaken(port)
  }

  #held(port: number): Drawn<number> {
    this.#ports.add(port)
    return drawn(port)
  }
}

/** What kube-apiserver answers a dry run with: a number that no one gets. */
const STAND_IN = 32_768

function isEdge(cidr: Cidr, address: Address): boolean {
  const base = addressNumber(baseAddress(cidr))
  const last = base + (1n << BigInt(ADDRESS_BITS[cidrFamily(cidr)] - prefixLength(cidr))) - 1n
  const number = addressNumber(address)
  return number === base || (cidrFamily(cidr) === 'ipv4' && number === last)
}

export function ipFamilyOf(text: string): IPFamily {
  return text.includes(':') ? 'IPv6' : 'IPv4'
}

function drawn<T>(value: T): Drawn<T> {
  return { ok: true, value }
}

function refused(problem: string): Drawn<never> {
  return { ok: false, problem }
}
