import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniRoute } from '#cni/protocol/result.ts'
import type { NamespaceNetwork, NetworkRoute } from '#system/network/network.ts'
import type { Clock } from '#system/ports.ts'
import { familyOf } from '#values/address.ts'
import type { BridgeConfiguration } from '../configuration.ts'
import { isRefused, step } from '../failed.ts'
import { type AddressPlan, gatewayOf } from './gateways.ts'
import { attempt } from './link.ts'

// The addresses and routes of a pod → its interface, inside of its network namespace.

export interface PodInterface {
  readonly pod: NamespaceNetwork
  readonly ifname: string
  readonly clock: Clock
}

export async function setUpInterface(
  { pod, ifname, clock }: PodInterface,
  plan: AddressPlan,
  { detectsDuplicates }: BridgeConfiguration,
): Promise<void> {
  const hasIpv6 = plan.ips.some(({ address }) => familyOf(address) === 'ipv6')
  await announce(pod, ifname, plan)
  if (hasIpv6) await enableIpv6(pod, ifname, detectsDuplicates ? 'look for duplicates' : 'use at once')
  for (const { address, prefixLength } of plan.ips) {
    await step(`failed to add IP addr ${address}/${prefixLength} to "${ifname}"`, () =>
      pod.addAddress(ifname, { address, prefixLength }),
    )
  }
  await step(`failed to set "${ifname}" UP`, () => pod.changeLink(ifname, { state: 'up' }))
  if (hasIpv6) await settle({ pod, ifname, clock })
  for (const route of plan.routes) await addRoute(pod, ifname, routeOn(ifname, route, plan))
}

/**
 * Neighbours that remember an address with the hardware address of the pod before hear of the new one. What the kernel says by
 * itself as the interface comes up is lost where the port of the bridge is ready a moment later; it says so again as the
 * hardware address is set, which stays the same.
 */
export async function announceAgain(pod: NamespaceNetwork, ifname: string, mac: string): Promise<void> {
  await attempt(pod.changeLink(ifname, { mac }))
}

async function announce(pod: NamespaceNetwork, ifname: string, { ips }: AddressPlan): Promise<void> {
  for (const family of new Set(ips.map(({ address }) => familyOf(address)))) {
    await attempt(pod.changeSetting(NOTIFY[family](ifname), '1'))
  }
}

const NOTIFY = {
  ipv4: (ifname: string) => `ipv4/conf/${ifname}/arp_notify`,
  ipv6: (ifname: string) => `ipv6/conf/${ifname}/ndisc_notify`,
} as const

async function enableIpv6(
  pod: NamespaceNetwork,
  ifname: string,
  use: 'look for duplicates' | 'use at once',
): Promise<void> {
  for (const name of ['lo', ifname]) {
    const path = `ipv6/conf/${name}/disable_ipv6`
    const value = await pod.setting(path)
    if (value === undefined || value.trim() === '0') continue
    await step(`failed to enable IPv6 for interface "${name}" (${path}=${value.trim()})`, () =>
      pod.changeSetting(path, '0'),
    )
  }
  // An interface that goes down and up again would come back without its addresses.
  await attempt(pod.changeSetting(`ipv6/conf/${ifname}/keep_addr_on_down`, '1'))
  if (use === 'look for duplicates') await attempt(pod.changeSetting(`ipv6/conf/${ifname}/enhanced_dad`, '1'))
  await attempt(pod.changeSetting(`ipv6/conf/${ifname}/accept_dad`, use === 'use at once' ? '0' : '1'))
}

const SETTLE_MS = 5000
/** Without a search for duplicates, the kernel is ready a moment after the link is up; with one, after a second. */
const PAUSES_MS = [1, 1, 2, 5, 10, 20, 50]

/** An address that is still being looked for on the link cannot be used, nor can routes by it. */
async function settle({ pod, ifname, clock }: PodInterface): Promise<void> {
  const until = clock.now() + SETTLE_MS
  for (let round = 0; ; round++) {
    const addresses = await pod.addresses(ifname)
    const failed = addresses.find(({ hasDadFailed }) => hasDadFailed)
    if (failed !== undefined)
      throw new CniError(
        CODE.io,
        `failed to settle addresses for "${ifname}": link ${ifname} has address ${failed.address} in DADFAILED state`,
        'another interface on the same bridge answers for this address',
      )
    const tentative = addresses.find(({ isTentative }) => isTentative)
    if (tentative === undefined) return
    if (clock.now() >= until) {
      // A link that nothing is connected to stays tentative, and is set up all the same.
      if ((await pod.link(ifname))?.operState !== 'up') return
      throw new CniError(
        CODE.tryAgainLater,
        `failed to settle addresses for "${ifname}": link ${ifname} still has tentative addresses after 5 seconds: ${tentative.address}`,
      )
    }
    await clock.sleep(PAUSES_MS[Math.min(round, PAUSES_MS.length - 1)]!)
  }
}

/** How the route is laid: in the words of the kernel, through the gateway of its family where it names none. */
export function routeOn(ifname: string, route: CniRoute, { ips }: Pick<AddressPlan, 'ips'>): NetworkRoute {
  const { dst, mtu, advmss, priority, table, scope } = route
  const gateway = gatewayOf(route, ips)
  return {
    destination: dst,
    link: ifname,
    ...(gateway !== undefined && { gateway }),
    ...(mtu !== undefined && { mtu }),
    ...(advmss !== undefined && { advmss }),
    ...(priority !== undefined && { priority }),
    ...(table !== undefined && { table }),
    ...(scope !== undefined && { scope }),
  }
}

async function addRoute(pod: NamespaceNetwork, ifname: string, route: NetworkRoute): Promise<void> {
  const { destination, gateway, link: _, ...rest } = route
  const more = Object.entries(rest).map(([name, value]) => ` ${name} ${value}`)
  const name = `failed to add route '${destination} via ${gateway ?? 'nothing'} dev ${ifname}${more.join('')}'`
  await step(name, async () => {
    try {
      await pod.addRoute(route)
    } catch (error) {
      // Two range sets of a family may name the same route: the one that is there does.
      if (!isRefused(error, 'EEXIST')) throw error
    }
  })
}
