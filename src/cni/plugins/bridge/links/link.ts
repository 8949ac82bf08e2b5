import { CniError, CODE } from '#cni/protocol/error.ts'
import type { Holder } from '#ipam/leases/lease-book.ts'
import type { LinkState, LinkVlan, NamespaceNetwork } from '#system/network/network.ts'
import { OVERLAY_LINK } from '#values/overlay-link.ts'
import type { BridgeConfiguration } from '../configuration.ts'
import { isRefused, step } from '../failed.ts'
import { interfaceComment } from '../rules/names.ts'

// The options of a bridge → the bridge on the node, and a port of it whose other end is in the container.

/** Pods that start at once make it at once: the one that comes second finds it there. */
export async function ensureBridge(node: NamespaceNetwork, options: BridgeConfiguration): Promise<LinkState> {
  const { bridge: name, mtu, filtersVlans, isPromiscuous } = options
  return step(`failed to create bridge "${name}"`, async () => {
    let found = await bridgeNamed(node, name)
    if (found === undefined) {
      const filtering = filtersVlans && { vlanFiltering: true }
      // Neighbours would have to learn one anew that follows those of the ports, and a pod that comes beside might have another in its result.
      const made = { mac: drawnMac(), ...(mtu !== undefined && { mtu }), ...filtering }
      await unlessThere(node.addBridge(name, made)).catch(withoutVlans)
      found = await bridgeNamed(node, name)
      if (found === undefined) throw new CniError(CODE.io, `could not lookup "${name}": it was deleted meanwhile`)
    } else if (filtersVlans && !found.isVlanFiltering) await node.changeLink(name, { vlanFiltering: 'on' })
    // Routes are ours to make: none are taken from a pod that announces itself as a router.
    await attempt(node.changeSetting(`ipv6/conf/${name}/accept_ra`, '0'))
    if (!found.isUp || (isPromiscuous && !found.isPromiscuous)) {
      await node.changeLink(name, { state: 'up', ...(isPromiscuous && { promiscuous: 'on' }) })
    }
    return found
  })
}

/** Locally administered, of one interface. */
function drawnMac(): string {
  const bytes = Buffer.from(crypto.getRandomValues(new Uint8Array(6)))
  bytes[0] = (bytes[0]! & 0xfc) | 0x02
  return [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(':')
}

/** The kernel's own word names neither the option nor what is missing. */
function withoutVlans(error: unknown): never {
  if (!isRefused(error, 'ENOTSUP')) throw error
  throw new CniError(
    CODE.unsupportedField,
    'vlan, vlanTrunk: this kernel has no VLAN filtering of bridges (CONFIG_BRIDGE_VLAN_FILTERING)',
  )
}

export async function bridgeNamed(node: NamespaceNetwork, name: string): Promise<LinkState | undefined> {
  const found = await node.link(name)
  if (found !== undefined && found.kind !== 'bridge')
    throw new CniError(CODE.config, `"${name}" already exists but is not a bridge`)
  return found
}

export interface PairPlan {
  readonly node: NamespaceNetwork
  readonly pod: NamespaceNetwork
  readonly namespace: string
  readonly ifname: string
  readonly options: BridgeConfiguration
}

/** Another pod may have the name that was drawn. */
const TRIES = 10

/** Both ends or none. Returns the name of the port. */
export async function makePair({ node, pod, namespace, ifname, options }: PairPlan): Promise<string> {
  const { bridge, mac } = options
  // What a pod sends may have to go through the overlay, which has room for less than a link of hardware.
  const mtu = options.mtu ?? (await node.link(OVERLAY_LINK))?.mtu
  const size = mtu !== undefined && { mtu }
  const peer = { name: ifname, namespace, ...size, ...(mac !== undefined && { mac }) }
  for (let tries = 1; ; tries++) {
    const name = `veth${drawn()}`
    try {
      await node.addVeth({ name, ...size, master: bridge, state: 'up' }, peer)
      return name
    } catch (error) {
      const isTaken = isRefused(error, 'EEXIST')
      // Either name may be.
      if (isTaken) await refuseExisting(pod, ifname)
      if (isTaken && tries < TRIES) continue
      // The kernel makes both or none; of a program that was ended half way, one cannot know.
      if (!isTaken) await attempt(node.deleteLink(name))
      throw new CniError(
        CODE.io,
        `failed to make veth pair "${name}" in bridge "${bridge}" and "${ifname}" in ${namespace}: ${(error as Error).message}`,
      )
    }
  }
}

/** Eight hexadecimal digits. */
function drawn(): string {
  return Math.trunc(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
}

/** In the words of the reference, which operators know. */
export async function refuseExisting(pod: NamespaceNetwork, ifname: string): Promise<void> {
  if ((await pod.link(ifname)) === undefined) return
  throw new CniError(
    CODE.internal,
    `container veth name provided (${ifname}) already exists`,
    'the container has an interface of this name already: another network of the same pod, or an ADD before this one',
  )
}

/** What of a port is not as the kernel makes it. Its alias says whose it is: to people, and to a GC. */
export async function setPort(
  node: NamespaceNetwork,
  { port, holder }: { readonly port: string; readonly holder: Holder },
  options: BridgeConfiguration,
): Promise<void> {
  await step(`failed to set the alias of port "${port}"`, () =>
    node.changeLink(port, { alias: interfaceComment(holder) }),
  )
  const { isHairpin, isIsolated } = options
  await attempt(node.changeSetting(`ipv6/conf/${port}/accept_ra`, '0'))
  if (isHairpin || isIsolated) {
    const change = { ...(isHairpin && { hairpin: 'on' as const }), ...(isIsolated && { isolated: 'on' as const }) }
    await step(`failed to set up port "${port}" (hairpinMode, portIsolation)`, () =>
      node.changeBridgePort(port, change),
    )
  }
  await step(`failed to setup vlan tag on interface "${port}"`, () => setVlans(node, port, options))
}

async function setVlans(node: NamespaceNetwork, port: string, options: BridgeConfiguration): Promise<void> {
  const wanted = portVlans(options)
  if (wanted.length === 0) return
  if (!options.preserveDefaultVlan) await node.deleteVlans(port, await node.vlans(port))
  await node.addVlans(port, wanted)
}

/** Frames without a tag belong to the port's own VLAN; on a trunk that has none, to VLAN 1. */
export function portVlans({ vlan, trunk }: Pick<BridgeConfiguration, 'vlan' | 'trunk'>): readonly LinkVlan[] {
  if (vlan === 0 && trunk.length === 0) return []
  const native = vlan === 0 ? 1 : vlan
  const tagged = trunk.filter(id => id !== native).map(id => ({ id, isUntagged: false, isPvid: false }))
  return [{ id: native, isUntagged: true, isPvid: true }, ...tagged]
}

export async function unlessThere(change: Promise<unknown>): Promise<void> {
  try {
    await change
  } catch (error) {
    if (!isRefused(error, 'EEXIST')) throw error
  }
}

/** A setting that a kernel without IPv6 does not have, or that a container's /proc does not let be written. */
export async function attempt(change: Promise<unknown>): Promise<void> {
  await change.catch(() => undefined)
}
