import * as addressWords from '#dialects/iproute/addresses.ts'
import * as linkWords from '#dialects/iproute/links.ts'
import { commandRefusal } from '#dialects/iproute/refusals.ts'
import * as routeWords from '#dialects/iproute/routes.ts'
import * as vlanWords from '#dialects/iproute/vlans.ts'
import { insideNamespace } from '#dialects/iproute/words.ts'
import { readNetworkSetting, writeNetworkSetting } from '#dialects/sysctl.ts'
import type { NeighbourTable, VxlanOptions } from '#system/network/neighbours.ts'
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
} from '#system/network/network.ts'
import { badName, refusal, refuseBadMac, refuseBadName, refuseBadSetting } from '#system/network/refusal.ts'
import { vlanRuns } from '#system/network/vlan-runs.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { commandNeighbours } from './command-neighbours.ts'

// A network namespace's links, addresses, routes and settings, by the commands of iproute2: where FFI is refused. Each call is
// one process or two.

/** `ip` takes a name without a slash for one below /run/netns, or for a process. */
export function namespacePath(path: string): string {
  return path.startsWith('/') ? path : `./${path}`
}

export class CommandNetwork implements NamespaceNetwork {
  readonly #kernel: Kernel
  readonly #path: string | undefined
  readonly neighbours: NeighbourTable

  constructor(kernel: Kernel, path: string | undefined) {
    this.#kernel = kernel
    this.#path = path
    this.neighbours = commandNeighbours({
      known: (link, doing) => this.#known(link, doing),
      must: (command, doing) => this.#must(command, doing),
      deleted: (command, deletion) => this.#deleted(command, deletion),
    })
  }

  async links(): Promise<readonly LinkState[]> {
    return (await this.#listed()).map(({ state }) => state)
  }

  async link(name: string): Promise<LinkState | undefined> {
    return (await this.#listed()).find(({ state }) => state.name === name)?.state
  }

  async addBridge(name: string, options: BridgeOptions): Promise<void> {
    const doing = `add bridge "${name}"`
    refuseBadName(doing, name)
    refuseBadMac(doing, options.mac)
    await this.#must(linkWords.addBridge(name, options), doing)
  }

  async addVeth(end: NearVethEnd, peer: VethEnd & { readonly namespace?: string }): Promise<void> {
    const doing = `add veth pair "${end.name}" and "${peer.name}"`
    for (const { name, mac } of [end, peer]) {
      refuseBadName(doing, name)
      refuseBadMac(doing, mac)
    }
    if (end.master !== undefined) await this.#known(end.master, doing)
    const namespace = peer.namespace === undefined ? {} : { namespace: namespacePath(peer.namespace) }
    await this.#must(linkWords.addVeth(end, { ...peer, ...namespace }), doing)
  }

  async addVlan(name: string, options: { readonly parent: string; readonly id: number }): Promise<void> {
    const doing = `add VLAN ${options.id} of "${options.parent}" as "${name}"`
    refuseBadName(doing, name)
    await this.#known(options.parent, doing)
    await this.#must(linkWords.addVlan(name, options), doing)
  }

  async addVxlan(name: string, options: VxlanOptions): Promise<void> {
    const doing = `add VXLAN ${options.vni} as "${name}"`
    refuseBadName(doing, name)
    refuseBadMac(doing, options.mac)
    await this.#must(linkWords.addVxlan(name, options), doing)
  }

  async changeLink(name: string, change: LinkChange): Promise<void> {
    const doing = `change link "${name}"`
    if (change.name !== undefined) refuseBadName(doing, change.name)
    refuseBadMac(doing, change.mac)
    if (typeof change.master === 'string') await this.#known(change.master, doing)
    await this.#known(name, doing)
    await this.#must(linkWords.changeLink(name, change), doing)
  }

  async deleteLink(name: string): Promise<boolean> {
    if (badName(name) !== undefined || (await this.link(name)) === undefined) return false
    return this.#deleted(linkWords.deleteLink(name), { doing: `delete link "${name}"`, absent: 'ENODEV' })
  }

  async bridgePort(name: string): Promise<BridgePort | undefined> {
    return (await this.#listed()).find(({ state }) => state.name === name)?.port
  }

  async changeBridgePort(name: string, change: BridgePortChange): Promise<void> {
    const doing = `change bridge port "${name}"`
    await this.#known(name, doing)
    await this.#must(linkWords.changeBridgePort(name, change), doing)
  }

  async vlans(name: string): Promise<readonly LinkVlan[]> {
    const doing = `list VLANs of "${name}"`
    await this.#known(name, doing)
    return this.#read(vlanWords.LIST_VLANS, { doing, as: stdout => vlanWords.vlansOf(stdout, name) })
  }

  async addVlans(name: string, vlans: readonly LinkVlan[]): Promise<void> {
    await this.#changeVlans('add', name, vlans)
  }

  async deleteVlans(name: string, vlans: readonly LinkVlan[]): Promise<void> {
    await this.#changeVlans('delete', name, vlans)
  }

  async addresses(link?: string): Promise<readonly InterfaceAddress[]> {
    const doing = link === undefined ? 'list addresses' : `list addresses of "${link}"`
    const index = link === undefined ? undefined : (await this.#known(link, doing)).index
    const as = addressWords.interfaceAddressesOf
    const all = await this.#read(addressWords.LIST_ADDRESSES_OF_LINKS, { doing, as })
    return index === undefined ? all : all.filter(one => one.link === index)
  }

  async addAddress(link: string, address: AddressWithPrefix & { readonly withoutDad?: true }): Promise<void> {
    const doing = `add address ${address.address}/${address.prefixLength} to "${link}"`
    await this.#known(link, doing)
    await this.#must(addressWords.addAddress(link, address), doing)
  }

  async deleteAddress(link: string, address: AddressWithPrefix): Promise<boolean> {
    const doing = `delete address ${address.address}/${address.prefixLength} of "${link}"`
    await this.#known(link, doing)
    return this.#deleted(addressWords.deleteAddress(link, address), { doing, absent: 'EADDRNOTAVAIL' })
  }

  async routes(family: Family): Promise<readonly NetworkRoute[]> {
    const as = (stdout: string) => routeWords.networkRoutesOf(stdout, family)
    return this.#read(routeWords.listUnicastRoutes(family), { doing: `list ${family} routes`, as })
  }

  async addRoute(route: NetworkRoute): Promise<void> {
    const doing = `add route to ${route.destination}`
    if (route.link !== undefined) await this.#known(route.link, doing)
    await this.#must(routeWords.addRoute(route), doing)
  }

  async deleteRoute(route: NetworkRoute): Promise<boolean> {
    const doing = `delete route to ${route.destination}`
    if (route.link !== undefined) await this.#known(route.link, doing)
    return this.#deleted(routeWords.deleteRoute(route), { doing, absent: 'ESRCH' })
  }

  async setting(path: string): Promise<string | undefined> {
    refuseBadSetting(path)
    const outcome = await this.#run(readNetworkSetting(path))
    if (outcome.code === 0) return outcome.stdout.trim()
    const refused = commandRefusal(outcome)
    if (refused.code === 'ENOENT' || refused.code === 'ENOTDIR') return undefined
    throw refusal({ doing: `read the setting ${path}`, ...refused })
  }

  async changeSetting(path: string, value: string): Promise<void> {
    refuseBadSetting(path)
    const doing = `give the setting ${path} the value ${JSON.stringify(value)}`
    await this.#must(writeNetworkSetting(path, value), doing)
  }

  close(): void {}

  async #changeVlans(verb: 'add' | 'delete', name: string, vlans: readonly LinkVlan[]): Promise<void> {
    const doing = `${verb} VLANs of "${name}"`
    const port = await this.#known(name, doing)
    for (const run of vlanRuns(vlans)) await this.#must(vlanWords.changeVlans(verb, port, run), doing)
  }

  async #listed(): Promise<readonly linkWords.ListedLink[]> {
    return this.#read(linkWords.LIST_LINKS, { doing: 'list links', as: linkWords.linksOf })
  }

  async #read<T>(command: Command, { doing, as }: { doing: string; as: (stdout: string) => T }): Promise<T> {
    const { stdout } = await this.#must(command, doing)
    try {
      return as(stdout)
    } catch (error) {
      const said = `what ${command.argv[0]} printed cannot be understood: ${(error as Error).message}`
      throw refusal({ doing, code: 'EBADMSG', said })
    }
  }

  /** `ip` takes "if5" for the link with the number 5, where none has that name; so names are looked up first. */
  async #known(name: string, doing: string): Promise<LinkState> {
    const found = await this.link(name)
    if (found === undefined) throw refusal({ doing, code: 'ENODEV', said: `there is no link "${name}"` })
    return found
  }

  #run(command: Command): Promise<Outcome> {
    return this.#kernel.run(insideNamespace(this.#path, command))
  }

  async #must(command: Command, doing: string): Promise<Outcome> {
    const outcome = await this.#run(command)
    if (outcome.code !== 0) throw refusal({ doing, ...commandRefusal(outcome) })
    return outcome
  }

  async #deleted(command: Command, { doing, absent }: { doing: string; absent: string }): Promise<boolean> {
    const outcome = await this.#run(command)
    if (outcome.code === 0) return true
    const refused = commandRefusal(outcome)
    if (refused.code === absent) return false
    throw refusal({ doing, ...refused })
  }
}
