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
  type NearVethEnd,
  NetworkRefused,
  type NetworkRoute,
  type Networks,
  type VethEnd,
} from '#system/network/network.ts'
import { familyOf } from '#values/address.ts'

// A node and a pod on paper: links, addresses, routes, VLANs and settings in memory, as strict as the kernel about what is there
// and what is not. What a test wants to go wrong, it overrides.

type Refusals = Partial<Record<keyof NamespaceNetwork, string>>

interface PaperLink extends LinkState {
  readonly addresses: readonly InterfaceAddress[]
}

export class PaperNetworks implements Networks {
  readonly node = new PaperNetwork(this)
  readonly pod = new PaperNetwork(this)
  readonly calls: string[] = []
  podIsGone = false
  /** Asked before each change is made; what it throws, the change fails with. */
  fate: (call: string) => void = () => {}
  /** Namespaces that are open now: one that is never closed lives on without its pod. */
  held = 0
  #indexes = 0

  async open(namespace?: string): Promise<NamespaceNetwork> {
    if (namespace !== undefined && this.podIsGone)
      throw new NetworkRefused('ENOENT', `cannot open the network namespace ${namespace}: it is gone`)
    this.held += 1
    return namespace === undefined ? this.node : this.pod
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
  /** Of links that are ports of a bridge. */
  readonly ports = new Map<string, BridgePort>()
  readonly memberships = new Map<string, readonly LinkVlan[]>()
  /** The next call of a method fails with this code, once. */
  readonly refusals: Refusals = {}
  /** IPv6 addresses, as they are added. */
  tentative: 'never' | 'for ever' | 'failed' = 'never'
  /** Of links, as they are made or changed. */
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

  async addBridge(name: string, { mac, mtu = 1500, vlanFiltering = false }: BridgeOptions): Promise<void> {
    this.#call('addBridge', name)
    if (this.found.has(name)) throw refused('EEXIST')
    this.put(name, { kind: 'bridge', ...(mac && { mac }), mtu, isVlanFiltering: vlanFiltering })
    this.memberships.set(name, DEFAULT_VLAN)
  }

  async addVeth(end: NearVethEnd, peer: VethEnd & { readonly namespace?: string }): Promise<void> {
    this.#call('addVeth', end.name)
    const { pod } = this.#all
    if (this.found.has(end.name) || pod.found.has(peer.name)) throw refused('EEXIST')
    const master = end.master === undefined ? undefined : this.#known(end.master).index
    const [near, far] = [this.#all.nextIndex(), this.#all.nextIndex()]
    const here = { kind: 'veth', index: near, peer: far, isUp: end.state === 'up', mac: '0a:00:00:00:00:02' }
    this.put(end.name, { ...here, ...(end.mtu && { mtu: end.mtu }), ...(master !== undefined && { master }) })
    const there = { kind: 'veth', index: far, peer: near, mac: peer.mac ?? '0a:00:00:00:00:01' }
    pod.put(peer.name, { ...there, ...(peer.mtu && { mtu: peer.mtu }) })
    if (master === undefined) return
    this.ports.set(end.name, { state: 'forwarding', hasHairpin: false, isIsolated: false })
    this.memberships.set(end.name, DEFAULT_VLAN)
  }

  async addVlan(name: string): Promise<void> {
    this.#call('addVlan', name)
    if (this.found.has(name)) throw refused('EEXIST')
    this.put(name, { kind: 'vlan' })
  }

  async addVxlan(name: string): Promise<void> {
    this.#call('addVxlan', name)
    this.put(name, { kind: 'vxlan' })
  }

  async changeLink(name: string, { state, promiscuous, vlanFiltering, mac, mtu, alias }: LinkChange): Promise<void> {
    this.#call('changeLink', name)
    this.put(name, {
      ...this.#known(name),
      ...(state !== undefined && { isUp: state === 'up' }),
      ...(promiscuous !== undefined && { isPromiscuous: promiscuous === 'on' }),
      ...(vlanFiltering !== undefined && { isVlanFiltering: vlanFiltering === 'on' }),
      ...(mac !== undefined && { mac }),
      ...(mtu !== undefined && { mtu }),
      ...(alias !== undefined && { alias }),
    })
  }

  async deleteLink(name: string): Promise<boolean> {
    this.#call('deleteLink', name)
    const link = this.found.get(name)
    if (link === undefined) return false
    for (const network of [this.#all.node, this.#all.pod]) {
      for (const [other, { index }] of network.found) {
        if (index === link.index || index === link.peer) network.forget(other)
      }
    }
    return true
  }

  async bridgePort(name: string): Promise<BridgePort | undefined> {
    return this.ports.get(name)
  }

  async changeBridgePort(name: string, { hairpin, isolated }: BridgePortChange): Promise<void> {
    this.#call('changeBridgePort', name)
    const port = this.ports.get(name)
    if (port === undefined) throw refused('EINVAL')
    this.ports.set(name, {
      ...port,
      ...(hairpin !== undefined && { hasHairpin: hairpin === 'on' }),
      ...(isolated !== undefined && { isIsolated: isolated === 'on' }),
    })
  }

  async vlans(name: string): Promise<readonly LinkVlan[]> {
    this.#known(name)
    return this.memberships.get(name) ?? []
  }

  async addVlans(name: string, vlans: readonly LinkVlan[]): Promise<void> {
    this.#call('addVlans', name)
    const before = (this.memberships.get(name) ?? []).filter(one => !vlans.some(({ id }) => id === one.id))
    const hasPvid = vlans.some(({ isPvid }) => isPvid)
    const left = before.map(one => ({ ...one, isPvid: one.isPvid && !hasPvid }))
    this.memberships.set(name, [...left, ...vlans])
  }

  async deleteVlans(name: string, vlans: readonly LinkVlan[]): Promise<void> {
    this.#call('deleteVlans', name)
    const left = (this.memberships.get(name) ?? []).filter(one => !vlans.some(({ id }) => id === one.id))
    this.memberships.set(name, left)
  }

  async addresses(link: string): Promise<readonly InterfaceAddress[]> {
    this.#refuse('addresses')
    return this.#known(link).addresses
  }

  async addAddress(link: string, { address, prefixLength, withoutDad }: NewAddress): Promise<void> {
    this.#call('addAddress', `${address} ${link}${withoutDad ? ' without DAD' : ''}`)
    const one = this.#known(link)
    if (one.addresses.some(other => other.address === address)) throw refused('EEXIST')
    const isSix = familyOf(address) === 'ipv6'
    const state = {
      isTentative: isSix && this.tentative !== 'never',
      hasDadFailed: isSix && this.tentative === 'failed',
    }
    const added = { address, prefixLength, link: one.index, scope: 'global', ...state }
    this.put(link, { ...one, addresses: [...one.addresses, added] })
  }

  async deleteAddress(link: string, { address }: AddressWithPrefix): Promise<boolean> {
    this.#call('deleteAddress', `${address} ${link}`)
    const one = this.#known(link)
    const left = one.addresses.filter(other => other.address !== address)
    this.put(link, { ...one, addresses: left })
    return left.length < one.addresses.length
  }

  async routes(): Promise<readonly NetworkRoute[]> {
    return this.laid
  }

  async addRoute(route: NetworkRoute): Promise<void> {
    this.#call('addRoute', route.destination)
    const isThere = this.laid.some(
      ({ destination, gateway, link }) =>
        destination === route.destination && gateway === route.gateway && link === route.link,
    )
    if (isThere) throw refused('EEXIST')
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

  close(): void {
    this.#all.held -= 1
  }

  /** A link is there, whatever there was before. */
  put(name: string, more: Partial<PaperLink>): void {
    const plain = { kind: '', mac: '0a:00:00:00:00:00', mtu: 1500, isUp: false, isPromiscuous: false, addresses: [] }
    const index = more.index ?? this.#all.nextIndex()
    this.found.set(name, { ...plain, isVlanFiltering: false, operState: this.operState, ...more, name, index })
  }

  forget(name: string): void {
    this.found.delete(name)
    this.ports.delete(name)
    this.memberships.delete(name)
    const left = this.laid.filter(({ link }) => link !== name)
    this.laid.splice(0, this.laid.length, ...left)
  }

  #known(name: string): PaperLink {
    const link = this.found.get(name)
    if (link === undefined) throw refused('ENODEV')
    return link
  }

  #call(method: keyof NamespaceNetwork, about: string): void {
    const where = this === this.#all.node ? 'node' : 'pod'
    const call = `${where} ${method} ${about}`
    this.#all.calls.push(call)
    this.#all.fate(call)
    this.#refuse(method)
  }

  #refuse(method: keyof NamespaceNetwork): void {
    const code = this.refusals[method]
    delete this.refusals[method]
    if (code !== undefined) throw refused(code)
  }
}

type NewAddress = AddressWithPrefix & { readonly withoutDad?: true }

/** What the kernel puts a bridge and a new port of it into. */
const DEFAULT_VLAN: readonly LinkVlan[] = [{ id: 1, isUntagged: true, isPvid: true }]

function refused(code: string): NetworkRefused {
  return new NetworkRefused(code, `cannot do it (${code})`)
}
