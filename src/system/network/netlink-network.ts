import type { HeldNamespace } from '#system/netlink/namespace.ts'
import type { Family } from '#values/address.ts'
import type { Conversation } from './conversation.ts'
import { deleteLink } from './link-deletion.ts'
import * as addressMessages from './messages/address-messages.ts'
import * as bridgeMessages from './messages/bridge-messages.ts'
import * as linkMessages from './messages/link-messages.ts'
import * as routeMessages from './messages/route-messages.ts'
import type { NeighbourTable, VxlanOptions } from './neighbours.ts'
import { netlinkNeighbours } from './netlink-neighbours.ts'
import type {
  AddressWithPrefix,
  BridgeOptions,
  BridgePort,
  BridgePortChange,
  InterfaceAddress,
  LinkChange,
  LinkState,
  LinkVlan,
  NamespaceNetwork,
  NearVethEnd,
  NetworkRoute,
  VethEnd,
} from './network.ts'
import { badName, refusal, refuseBadMac, refuseBadName } from './refusal.ts'
import { readSetting, writeSetting } from './settings.ts'

// A network namespace's links, addresses, routes and settings, over netlink. Nothing is remembered from one turn of the event
// loop to the next.

export interface NetlinkNetworkParts {
  /** Undefined for the node's own. */
  readonly namespace: HeldNamespace | undefined
  readonly conversation: Conversation
  /** Holds another namespace, by its path, until it is closed. */
  readonly hold: (path: string) => HeldNamespace
}

export class NetlinkNetwork implements NamespaceNetwork {
  readonly #namespace: HeldNamespace | undefined
  readonly #conversation: Conversation
  readonly #hold: (path: string) => HeldNamespace
  /** Of links by their names, as they were found in this turn: for each pod they are asked for a dozen times. */
  readonly #indices = new Map<string, number>()
  readonly neighbours: NeighbourTable

  constructor({ namespace, conversation, hold }: NetlinkNetworkParts) {
    this.#namespace = namespace
    this.#conversation = conversation
    this.#hold = hold
    this.neighbours = netlinkNeighbours(conversation, (name, doing) => this.#index(name, doing))
  }

  async links(): Promise<readonly LinkState[]> {
    return this.#conversation.list(linkMessages.ALL_LINKS, 'list links', body => [linkMessages.linkOf(body)])
  }

  async link(name: string): Promise<LinkState | undefined> {
    const body = this.#find(name)
    if (body === undefined) return undefined
    const link = linkMessages.linkOf(body)
    this.#remember(link)
    return link
  }

  async addBridge(name: string, options: BridgeOptions): Promise<void> {
    const doing = `add bridge "${name}"`
    refuseBadName(doing, name)
    refuseBadMac(doing, options.mac)
    this.#conversation.change(linkMessages.newBridge(name, options), doing)
  }

  async addVeth(end: NearVethEnd, peer: VethEnd & { readonly namespace?: string }): Promise<void> {
    const doing = `add veth pair "${end.name}" and "${peer.name}"`
    for (const { name, mac } of [end, peer]) {
      refuseBadName(doing, name)
      refuseBadMac(doing, mac)
    }
    const master = end.master === undefined ? undefined : this.#index(end.master, doing)
    const there = peer.namespace === undefined ? undefined : this.#hold(peer.namespace)
    try {
      const far = there === undefined ? { end: peer } : { end: peer, fd: there.fd }
      this.#conversation.change(linkMessages.newVeth(end, far, master), doing)
    } finally {
      there?.close()
    }
  }

  async addVlan(name: string, { parent, id }: { readonly parent: string; readonly id: number }): Promise<void> {
    const doing = `add VLAN ${id} of "${parent}" as "${name}"`
    refuseBadName(doing, name)
    this.#conversation.change(linkMessages.newVlan(name, { parent: this.#index(parent, doing), id }), doing)
  }

  async addVxlan(name: string, options: VxlanOptions): Promise<void> {
    const doing = `add VXLAN ${options.vni} as "${name}"`
    refuseBadName(doing, name)
    refuseBadMac(doing, options.mac)
    this.#conversation.change(linkMessages.newVxlan(name, options), doing)
  }

  async changeLink(name: string, change: LinkChange): Promise<void> {
    const doing = `change link "${name}"`
    if (change.name !== undefined) refuseBadName(doing, change.name)
    refuseBadMac(doing, change.mac)
    const master = change.master === null ? 0 : change.master
    const bridge = typeof master === 'string' ? this.#index(master, doing) : master
    this.#conversation.change(linkMessages.changedLink(this.#index(name, doing), change, bridge), doing)
    if (change.name !== undefined) this.#indices.clear()
  }

  async deleteLink(name: string): Promise<boolean> {
    const body = this.#find(name)
    if (body === undefined) return false
    const { index } = linkMessages.linkOf(body)
    this.#indices.clear()
    return deleteLink({ namespace: this.#namespace, index, doing: `delete link "${name}"` })
  }

  async bridgePort(name: string): Promise<BridgePort | undefined> {
    const body = this.#find(name)
    return body && bridgeMessages.bridgePortOf(body)
  }

  async changeBridgePort(name: string, change: BridgePortChange): Promise<void> {
    const doing = `change bridge port "${name}"`
    refuseBadName(doing, name)
    this.#conversation.change(bridgeMessages.changedPort(name, change), doing)
  }

  async vlans(name: string): Promise<readonly LinkVlan[]> {
    const doing = `list VLANs of "${name}"`
    const index = this.#index(name, doing)
    return this.#conversation.list(bridgeMessages.ALL_VLANS, doing, body => bridgeMessages.vlansOf(body, index))
  }

  async addVlans(name: string, vlans: readonly LinkVlan[]): Promise<void> {
    const doing = `add VLANs to "${name}"`
    const member = this.#state(name, doing)
    if (vlans.length > 0) this.#conversation.change(bridgeMessages.addedVlans(member, vlans), doing)
  }

  async deleteVlans(name: string, vlans: readonly LinkVlan[]): Promise<void> {
    const doing = `delete VLANs of "${name}"`
    const member = this.#state(name, doing)
    if (vlans.length > 0) this.#conversation.change(bridgeMessages.deletedVlans(member, vlans), doing)
  }

  async addresses(link?: string): Promise<readonly InterfaceAddress[]> {
    const doing = link === undefined ? 'list addresses' : `list addresses of "${link}"`
    const index = link === undefined ? undefined : this.#index(link, doing)
    const all = this.#conversation.list(addressMessages.listAddresses(index), doing, addressMessages.addressesOf)
    return index === undefined ? all : all.filter(one => one.link === index)
  }

  async addAddress(link: string, address: AddressWithPrefix & { readonly withoutDad?: true }): Promise<void> {
    const doing = `add address ${address.address}/${address.prefixLength} to "${link}"`
    this.#conversation.change(addressMessages.newAddress(this.#index(link, doing), address), doing)
  }

  async deleteAddress(link: string, address: AddressWithPrefix): Promise<boolean> {
    const doing = `delete address ${address.address}/${address.prefixLength} of "${link}"`
    const request = addressMessages.deletedAddress(this.#index(link, doing), address)
    return this.#conversation.deleted(request, { doing, absent: ['EADDRNOTAVAIL'] })
  }

  async routes(family: Family): Promise<readonly NetworkRoute[]> {
    const names = new Map((await this.links()).map(({ index, name }) => [index, name]))
    const read = (body: Buffer) => routeMessages.routesOf(body, family, index => names.get(index))
    return this.#conversation.list(routeMessages.listRoutes(family), `list ${family} routes`, read)
  }

  async addRoute(route: NetworkRoute): Promise<void> {
    const doing = `add route to ${route.destination}`
    const link = route.link === undefined ? undefined : this.#index(route.link, doing)
    this.#conversation.change(routeMessages.newRoute(route, link), doing)
  }

  async deleteRoute(route: NetworkRoute): Promise<boolean> {
    const doing = `delete route to ${route.destination}`
    const link = route.link === undefined ? undefined : this.#index(route.link, doing)
    const request = routeMessages.deletedRoute(route, link)
    return this.#conversation.deleted(request, { doing, absent: ['ESRCH'] })
  }

  async setting(path: string): Promise<string | undefined> {
    return readSetting(this.#namespace, path)
  }

  async changeSetting(path: string, value: string): Promise<void> {
    writeSetting(this.#namespace, path, value)
  }

  close(): void {
    this.#conversation.close()
    this.#namespace?.close()
  }

  #find(name: string): Buffer | undefined {
    if (badName(name) !== undefined) return undefined
    return this.#conversation.one(linkMessages.getLink(name), `find link "${name}"`)
  }

  #state(name: string, doing: string): LinkState {
    const body = this.#find(name)
    if (body === undefined) throw refusal({ doing, code: 'ENODEV', said: `there is no link "${name}"` })
    return linkMessages.linkOf(body)
  }

  #index(name: string, doing: string): number {
    const known = this.#indices.get(name)
    if (known !== undefined) return known
    const link = this.#state(name, doing)
    this.#remember(link)
    return link.index
  }

  #remember({ name, index }: LinkState): void {
    if (this.#indices.size === 0) setImmediate(() => this.#indices.clear())
    this.#indices.set(name, index)
  }
}
