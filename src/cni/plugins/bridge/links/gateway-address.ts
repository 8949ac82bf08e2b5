import { CniError, CODE } from '#cni/protocol/error.ts'
import type { AddressWithPrefix, InterfaceAddress, NamespaceNetwork } from '#system/network/network.ts'
import { type Family, familyOf } from '#values/address.ts'
import { contains, prefixOf } from '#values/cidr.ts'
import type { BridgeConfiguration } from '../configuration.ts'
import { step } from '../failed.ts'
import { unlessThere } from './link.ts'

// The gateways of a network → addresses of its bridge, and a node that forwards.

/** The bridge itself, or what carries the addresses of one of its VLANs. */
export function gatewayLink({ bridge, vlan }: Pick<BridgeConfiguration, 'bridge' | 'vlan'>): string {
  return vlan === 0 ? bridge : `${bridge}.${vlan}`
}

/** Pods of one VLAN share a gateway, which takes part in that VLAN alone. */
export async function ensureVlanLink(node: NamespaceNetwork, options: BridgeConfiguration): Promise<void> {
  const { bridge, vlan } = options
  const name = gatewayLink(options)
  await step(`failed to create vlan interface "${name}"`, async () => {
    const found = await node.link(name)
    if (found === undefined) await unlessThere(node.addVlan(name, { parent: bridge, id: vlan }))
    // The reference plugin's is a veth, whose other end is a port of the bridge.
    if (found === undefined || found.kind === 'vlan') await takePart(node, bridge, vlan)
    if (found?.isUp !== true) await node.changeLink(name, { state: 'up' })
  })
}

async function takePart(node: NamespaceNetwork, bridge: string, vlan: number): Promise<void> {
  const own = await node.vlans(bridge)
  if (!own.some(({ id }) => id === vlan)) await node.addVlans(bridge, [{ id: vlan, isUntagged: false, isPvid: false }])
}

export interface GatewayPlan {
  readonly link: string
  readonly gateways: readonly AddressWithPrefix[]
  readonly forceAddress: boolean
  readonly detectsDuplicates: boolean
}

/** Pods that start at once add the same address at once: the one that comes second finds it there. */
export async function ensureGateways(node: NamespaceNetwork, plan: GatewayPlan): Promise<void> {
  const { link, gateways, forceAddress, detectsDuplicates } = plan
  // Until the kernel has looked for another owner, a second long, it would not answer the first pod.
  const how = detectsDuplicates ? {} : { withoutDad: true as const }
  const present = await node.addresses(link)
  for (const gateway of gateways) {
    if (present.some(address => isEqual(address, gateway))) continue
    const others = present.filter(address => isInTheWay(address, gateway, gateways))
    if (others.length > 0 && !forceAddress) throw inTheWay(link, gateway, others)
    for (const other of others) {
      await step(`could not remove IP address from "${link}"`, () => node.deleteAddress(link, other))
    }
    if (familyOf(gateway.address) === 'ipv6') await enableIpv6(node, link)
    await step(`could not add IP address ${shown(gateway)} to "${link}"`, () =>
      unlessThere(node.addAddress(link, { ...gateway, ...how })),
    )
  }
}

/** Nodes whose interfaces come without IPv6 take no address of it. */
async function enableIpv6(node: NamespaceNetwork, link: string): Promise<void> {
  const path = `ipv6/conf/${link}/disable_ipv6`
  if ((await node.setting(path)) !== '1') return
  await step(`failed to enable IPv6 for interface "${link}" (${path}=1)`, () => node.changeSetting(path, '0'))
}

/**
 * Any other IPv4 address, and any IPv6 address of the same range: pods would have a gateway that is not there. Those of one
 * network's several ranges stand side by side.
 */
function isInTheWay(
  address: InterfaceAddress,
  gateway: AddressWithPrefix,
  gateways: readonly AddressWithPrefix[],
): boolean {
  const family = familyOf(address.address)
  if (family !== familyOf(gateway.address) || gateways.some(wanted => isEqual(wanted, address))) return false
  if (family === 'ipv4') return true
  if (address.scope === 'link') return false
  const [range, wanted] = [
    prefixOf(address.address, address.prefixLength),
    prefixOf(gateway.address, gateway.prefixLength),
  ]
  return contains(range, gateway.address) || contains(wanted, address.address)
}

function inTheWay(link: string, gateway: AddressWithPrefix, others: readonly AddressWithPrefix[]): CniError {
  return new CniError(
    CODE.config,
    `failed to set bridge addr: "${link}" already has an IP address different from ${shown(gateway)}`,
    `it has ${others.map(shown).join(', ')}; "forceAddress": true replaces it, or delete it: ip address delete ${shown(others[0]!)} dev ${link}`,
  )
}

const FORWARDING: Readonly<Record<Family, string>> = { ipv4: 'ipv4/ip_forward', ipv6: 'ipv6/conf/all/forwarding' }

/** Written only where it is not on: the kernel walks all interfaces at each change. */
export async function ensureForwarding(node: NamespaceNetwork, gateways: readonly AddressWithPrefix[]): Promise<void> {
  for (const family of familiesOf(gateways)) {
    if (await forwards(node, family)) continue
    await step(`failed to enable forwarding (${FORWARDING[family]})`, () => node.changeSetting(FORWARDING[family], '1'))
  }
}

export async function forwards(node: NamespaceNetwork, family: Family): Promise<boolean> {
  return Number(await node.setting(FORWARDING[family])) >= 1
}

export function familiesOf(addresses: readonly AddressWithPrefix[]): readonly Family[] {
  return [...new Set(addresses.map(({ address }) => familyOf(address)))]
}

export function isEqual(one: AddressWithPrefix, other: AddressWithPrefix): boolean {
  return one.address === other.address && one.prefixLength === other.prefixLength
}

export function shown({ address, prefixLength }: AddressWithPrefix): string {
  return `${address}/${prefixLength}`
}
