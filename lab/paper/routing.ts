import type { VxlanOptions } from '#system/network/neighbours.ts'
import {
  type AddressWithPrefix,
  type InterfaceAddress,
  type LinkChange,
  type LinkState,
  type NamespaceNetwork,
  NetworkRefused,
  type NetworkRoute,
} from '#system/network/network.ts'
import { type Family, familyOf } from '#values/address.ts'
import { type Cidr, cidrFamily, contains, prefixOf } from '#values/cidr.ts'
import { PaperNeighbours } from './neighbours.ts'

// Links, addresses and routes of a node on paper, as strict as the kernel is about those that routes to other nodes are made of.

type Overrides = Partial<Record<keyof NamespaceNetwork, string>>

const KERNEL = 2
const MAIN_TABLE = 254

export class PaperRouting {
  readonly #links = new Map<string, LinkState>()
  readonly #addresses: InterfaceAddress[] = []
  readonly #routes: NetworkRoute[] = []
  readonly neighbours = new PaperNeighbours()
  /** The next call of this name is refused with this code. */
  readonly refusals: Overrides = {}
  #index = 0

  /** As `NamespaceNetwork`, of which routes need a part. */
  get network(): NamespaceNetwork {
    return this as unknown as NamespaceNetwork
  }

  /** A link of hardware with its addresses. */
  plug(name: string, ...addresses: readonly AddressWithPrefix[]): void {
    this.#put({ name, kind: '', mtu: 1500, mac: '0a:00:00:00:00:01', isUp: true })
    for (const address of addresses) this.#address(name, address)
  }

  /** What another program does. */
  foreign(route: NetworkRoute): void {
    this.#routes.push({ table: MAIN_TABLE, protocol: 4, priority: 0, ...route })
  }

  /** Takes away whatever fits, as another program would. */
  take(isTaken: (route: NetworkRoute) => boolean): void {
    for (let at = this.#routes.length - 1; at >= 0; at--) if (isTaken(this.#routes[at]!)) this.#routes.splice(at, 1)
  }

  /** One a line, sorted, as `ip route` has them. */
  get table(): readonly string[] {
    return this.#routes
      .map(({ destination, gateway, link, protocol, isOnLink }) =>
        [destination, gateway && `via ${gateway}`, link && `dev ${link}`, `proto ${protocol}`, isOnLink && 'onlink']
          .filter(Boolean)
          .join(' '),
      )
      .sort()
  }

  async links(): Promise<readonly LinkState[]> {
    return [...this.#links.values()]
  }

  async link(name: string): Promise<LinkState | undefined> {
    return this.#links.get(name)
  }

  async addVxlan(name: string, { mac, mtu, ...vxlan }: VxlanOptions): Promise<void> {
    this.#call('addVxlan')
    if (this.#links.has(name)) throw refused('EEXIST')
    this.#put({ name, kind: 'vxlan', mac, mtu, isUp: false, vxlan })
  }

  async changeLink(name: string, { state, mac, mtu }: LinkChange): Promise<void> {
    this.#call('changeLink')
    const before = this.#known(name)
    const isUp = state === undefined ? before.isUp : state === 'up'
    this.#put({ ...before, isUp, ...(mac !== undefined && { mac }), ...(mtu !== undefined && { mtu }) })
    if (!isUp) this.take(({ link }) => link === name)
  }

  async deleteLink(name: string): Promise<boolean> {
    this.#call('deleteLink')
    const index = this.#links.get(name)?.index
    this.take(({ link }) => link === name)
    this.#addresses.splice(0, this.#addresses.length, ...this.#addresses.filter(({ link }) => link !== index))
    if (this.#links.get(name)?.kind === 'vxlan') {
      this.neighbours.byAddress.clear()
      this.neighbours.byMac.clear()
    }
    return this.#links.delete(name)
  }

  async addresses(): Promise<readonly InterfaceAddress[]> {
    return [...this.#addresses]
  }

  async addAddress(name: string, address: AddressWithPrefix): Promise<void> {
    this.#call('addAddress')
    this.#address(name, address)
  }

  async deleteAddress(name: string, { address }: AddressWithPrefix): Promise<boolean> {
    this.#call('deleteAddress')
    const { index } = this.#known(name)
    const at = this.#addresses.findIndex(one => one.link === index && one.address === address)
    if (at < 0) return false
    const [gone] = this.#addresses.splice(at, 1)
    const network = networkOf(gone!)
    const isKept = this.#addresses.some(one => one.link === index && networkOf(one) === network)
    if (!isKept) this.take(one => one.link === name && one.destination === network && one.protocol === KERNEL)
    return true
  }

  async routes(family: Family): Promise<readonly NetworkRoute[]> {
    return this.#routes.filter(({ destination }) => cidrFamily(destination) === family)
  }

  async addRoute(route: NetworkRoute): Promise<void> {
    this.#call('addRoute')
    const { destination, gateway, isOnLink } = route
    const named = route.link === undefined ? undefined : this.#known(route.link)
    const reaching = this.#routes.find(one => reaches(one, route))
    if (gateway !== undefined && !isOnLink && reaching === undefined) throw refused(UNREACHABLE[familyOf(gateway)])
    if (named?.isUp === false) throw refused('ENETDOWN')
    const link = named?.name ?? reaching?.link
    const isThere = this.#routes.some(
      one => one.destination === destination && one.gateway === gateway && one.link === link,
    )
    if (isThere) throw refused('EEXIST')
    this.#routes.push({ table: MAIN_TABLE, priority: 0, ...route, ...(link !== undefined && { link }) })
  }

  async deleteRoute({ destination, gateway, link, protocol }: NetworkRoute): Promise<boolean> {
    this.#call('deleteRoute')
    const at = this.#routes.findIndex(
      one =>
        one.destination === destination &&
        (gateway === undefined || one.gateway === gateway) &&
        (link === undefined || one.link === link) &&
        (protocol === undefined || one.protocol === protocol),
    )
    if (at >= 0) this.#routes.splice(at, 1)
    return at >= 0
  }

  close(): void {}

  #address(name: string, { address, prefixLength }: AddressWithPrefix): void {
    const { index } = this.#known(name)
    if (this.#addresses.some(one => one.link === index && one.address === address)) throw refused('EEXIST')
    this.#addresses.push({
      ...{ link: index, address, prefixLength, scope: 'global', isTentative: false, hasDadFailed: false },
    })
    if (prefixLength === (familyOf(address) === 'ipv4' ? 32 : 128)) return
    const destination = networkOf({ address, prefixLength })
    this.#routes.push({ destination, link: name, table: MAIN_TABLE, protocol: KERNEL, priority: 0 })
  }

  #known(name: string): LinkState {
    const found = this.#links.get(name)
    if (found === undefined) throw refused('ENODEV')
    return found
  }

  #put(link: Omit<LinkState, 'index' | 'operState' | 'isPromiscuous'>): void {
    const index = this.#links.get(link.name)?.index ?? ++this.#index
    this.#links.set(link.name, { ...link, index, operState: 'up', isPromiscuous: false })
  }

  #call(method: keyof NamespaceNetwork): void {
    const code = this.refusals[method]
    delete this.refusals[method]
    if (code !== undefined) throw refused(code)
  }
}

/** What the kernel says of a gateway that no link reaches. */
const UNREACHABLE: Readonly<Record<Family, string>> = { ipv4: 'ENETUNREACH', ipv6: 'EHOSTUNREACH' }

/** True where the one leads straight to the gateway of the other, by the link that is named, if any. */
function reaches(one: NetworkRoute, { gateway, link }: NetworkRoute): boolean {
  if (gateway === undefined || one.gateway !== undefined || (link !== undefined && one.link !== link)) return false
  return contains(one.destination, gateway)
}

function networkOf({ address, prefixLength }: AddressWithPrefix): Cidr {
  return prefixOf(address, prefixLength)
}

function refused(code: string): NetworkRefused {
  return new NetworkRefused(code, `cannot do it: ${code}`)
}
