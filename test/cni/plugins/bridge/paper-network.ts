import { PaperNeighbours } from '#lab/paper/neighbours.ts'
import {
  type AddressWithPrefix,
  type BridgeOptions,
  type BridgePort,
  type BridgePortChange,
  type InterfaceAddress,
  type LinkChange,
  type LinkState,
  type LinkVlan,
  type NamespaceNetwork,
  NetworkRefused,
  type NetworkRoute,
  type Networks,
  type VethEnd,
} from '#system/network/network.ts'

// A node and a pod on paper: links, addresses, routes and settings in memory. What a test wants to go wrong, it overrides.

type Refusals = Partial<Record<keyof NamespaceNetwork, string>>

interface PaperLink extends LinkState {
  readonly addresses: readonly InterfaceAddress[]
}

export class PaperNetworks implements Networks {
  readonly node = new PaperNetwork(this)
  readonly pod = new PaperNetwork(this)
  readonly calls: string[] = []
  podIsGone = false
  #indexes = 0

  async open(namespace?: string): Promise<NamespaceNetwork> {
    if (namespace === undefined) return this.node
    if (this.podIsGone) throw new NetworkRefused('ENOENT', `cannot open the network namespace ${namespace}: it is gone`)
    return this.pod
  }

  nextIndex(): number {
    return ++this.#indexes
  }
}

export class PaperNetwork implements NamespaceNetwork {
  readonly #all: PaperNetworks
  readonly found = new Map<string, PaperLink>()
  readonly laid: NetworkRoute[] = []
  readonly settings = new Map<string, string>()
  /** The next call of a method fails with this code, once. */
  readonly refusals: Refusals = {}
  /** As addresses are added, and as links come up. */
  tentative: 'never' | 'for ever' | 'failed' = 'never'
  operState = 'up'
  readonly neighbours = new PaperNeighbours()

  constructor(all: PaperNetworks) {
    this.#all = all
  }

  async links(): Promise<readonly LinkState[]> {
    return [...this.found.values()]
  }

  async link(name: string): Promise<LinkState | undefined> {
    return this.found.get(name)
  }

  async addBridge(name: string, _: BridgeOptions): Promise<void> {
    this.#call('addBridge', name)
    this.put(name, { kind: 'bridge' })
  }

  async addVeth(end: VethEnd, peer: VethEnd & { readonly namespace?: string }): Promise<void> {
    this.#call('addVeth', end.name)
    this.put(end.name, { kind: 'veth' })
    this.#all.pod.put(peer.name, { kind: 'veth', mac: peer.mac ?? '0a:00:00:00:00:01' })
  }

  async addVlan(name: string): Promise<void> {
    this.#call('addVlan', name)
    this.put(name, { kind: 'vlan' })
  }

  async addVxlan(name: string): Promise<void> {
    this.#call('addVxlan', name)
    this.put(name, { kind: 'vxlan' })
  }

  async changeLink(name: string, change: LinkChange): Promise<void> {
    this.#call('changeLink', name)
    this.put(name, { ...this.found.get(name), ...(change.state === 'up' && { isUp: true }) })
  }

  async deleteLink(name: string): Promise<boolean> {
    this.#call('deleteLink', name)
    return this.found.delete(name)
  }

  async bridgePort(): Promise<BridgePort | undefined> {
    return undefined
  }

  async changeBridgePort(name: string, _: BridgePortChange): Promise<void> {
    this.#call('changeBridgePort', name)
  }

  async vlans(): Promise<readonly LinkVlan[]> {
    return []
  }

  async addVlans(name: string): Promise<void> {
    this.#call('addVlans', name)
  }

  async deleteVlans(name: string): Promise<void> {
    this.#call('deleteVlans', name)
  }

  async addresses(link: string): Promise<readonly InterfaceAddress[]> {
    this.#refuse('addresses')
    return this.found.get(link)?.addresses ?? []
  }

  async addAddress(link: string, { address, prefixLength }: AddressWithPrefix): Promise<void> {
    this.#call('addAddress', `${address} ${link}`)
    const one = this.found.get(link)!
    const state = { isTentative: this.tentative !== 'never', hasDadFailed: this.tentative === 'failed' }
    const added = { address, prefixLength, link: one.index, scope: 'global', ...state }
    this.put(link, { ...one, addresses: [...one.addresses, added] })
  }

  async deleteAddress(link: string, { address }: AddressWithPrefix): Promise<boolean> {
    this.#call('deleteAddress', `${address} ${link}`)
    const one = this.found.get(link)!
    this.put(link, { ...one, addresses: one.addresses.filter(other => other.address !== address) })
    return true
  }

  async routes(): Promise<readonly NetworkRoute[]> {
    return this.laid
  }

  async addRoute(route: NetworkRoute): Promise<void> {
    this.#call('addRoute', route.destination)
    this.laid.push(route)
  }

  async deleteRoute(): Promise<boolean> {
    return false
  }

  async setting(path: string): Promise<string | undefined> {
    return this.settings.get(path)
  }

  async changeSetting(path: string, value: string): Promise<void> {
    this.#call('changeSetting', path)
    this.settings.set(path, value)
  }

  close(): void {}

  put(name: string, more: Partial<PaperLink>): void {
    const plain = { kind: '', mac: '0a:00:00:00:00:00', mtu: 1500, isUp: false, isPromiscuous: false, addresses: [] }
    const index = more.index ?? this.#all.nextIndex()
    this.found.set(name, { ...plain, isVlanFiltering: false, operState: this.operState, ...more, name, index })
  }

  #call(method: keyof NamespaceNetwork, about: string): void {
    const where = this === this.#all.node ? 'node' : 'pod'
    this.#all.calls.push(`${where} ${method} ${about}`)
    this.#refuse(method)
  }

  #refuse(method: keyof NamespaceNetwork): void {
    const code = this.refusals[method]
    delete this.refusals[method]
    if (code !== undefined) throw new NetworkRefused(code, `cannot do it (${code})`)
  }
}
