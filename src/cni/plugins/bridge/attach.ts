import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import type { CniDns, CniInterface, CniResult } from '#cni/protocol/result.ts'
import type { AddressWithPrefix, LinkState, NamespaceNetwork } from '#system/network/network.ts'
import type { Clock } from '#system/ports.ts'
import { forgetRules, keepRules } from '../kept-rules.ts'
import { holderOf } from '../owner.ts'
import type { PluginParts } from '../plugin.ts'
import type { BridgeConfiguration } from './configuration.ts'
import { step } from './failed.ts'
import { announceAgain, setUpInterface } from './links/container.ts'
import { ensureForwarding, ensureGateways, ensureVlanLink, gatewayLink } from './links/gateway-address.ts'
import { type AddressPlan, addressPlan } from './links/gateways.ts'
import { ensureBridge, makePair, setPort } from './links/link.ts'
import { masqueradeBy } from './rules/choice.ts'
import type { WantedMasquerade } from './rules/kept-masquerade.ts'
import { spoofCheck } from './rules/spoof-check.ts'
import type { Undo } from './undo.ts'

// An ADD → a pod that is attached to the bridge, with all that must go again if a later step fails.

export interface BridgeAttachment {
  readonly request: CniRequest
  readonly parts: PluginParts
  readonly options: BridgeConfiguration
  readonly node: NamespaceNetwork
  readonly pod: NamespaceNetwork
  /** The path of the pod's namespace. */
  readonly namespace: string
  readonly undo: Undo
}

/** IPAM plugins that look at no interface: their addresses are taken first, and rules are written while links are made. */
const INDEPENDENT: readonly (string | undefined)[] = ['host-local', 'switchyard', 'static']

export async function attach(attachment: BridgeAttachment): Promise<CniResult> {
  if (!INDEPENDENT.includes(attachment.options.ipam)) return attachLink(attachment, undefined)
  const addresses = await addressesFor(attachment)
  const rules = masquerade(attachment, addresses.plan)
  // What fails first is reported; the rules are waited for, so that all of them are there to be taken back.
  rules.catch(() => undefined)
  try {
    const result = await attachLink(attachment, addresses)
    await rules
    return result
  } finally {
    await rules.catch(() => undefined)
  }
}

async function attachLink(attachment: BridgeAttachment, early: Addresses | undefined): Promise<CniResult> {
  const { request, parts, options, node, pod, namespace, undo } = attachment
  const { ifname } = request
  const bridge = await ensureBridge(node, options)
  const port = await makePair({ node, pod, namespace, ifname, options })
  undo.push(() => node.deleteLink(port))
  await setPort(node, { port, holder: holderOf(request) }, options)
  const mac = await macOf(pod, ifname)
  if (options.checksSpoofing) await dropSpoofed(attachment, { port, mac })
  const addresses = early ?? (options.ipam === undefined ? undefined : await addressesFor(attachment))
  const plan = addresses?.plan
  if (plan !== undefined && early === undefined) await masquerade(attachment, plan)
  const vlanLink = plan && (await connect(attachment, plan))
  if (plan === undefined && options.container === 'up') {
    await step(`failed to set "${ifname}" up`, () => pod.changeLink(ifname, { state: 'up' }))
  }
  const portLink = await readyPort({ node, clock: parts.clock }, port, options)
  if (plan !== undefined) await announceAgain(pod, ifname, mac)
  return {
    interfaces: [
      // One that another program has made takes the address of a port.
      { name: bridge.name, mac: await macOf(node, bridge.name) },
      { name: port, mac: portLink.mac },
      { name: ifname, mac, sandbox: namespace },
      ...(vlanLink === undefined ? [] : [vlanLink]),
    ],
    ips: plan?.ips ?? [],
    routes: plan?.routes ?? [],
    dns: dnsOf(request.config.dns, addresses?.dns ?? {}),
  }
}

async function connect(
  { request, parts, options, node, pod }: BridgeAttachment,
  plan: AddressPlan,
): Promise<CniInterface | undefined> {
  await setUpInterface({ pod, ifname: request.ifname, clock: parts.clock }, plan, options)
  return options.isGateway ? setUpGateway(node, plan, options) : undefined
}

async function masquerade({ request, parts, options, undo }: BridgeAttachment, { ips }: AddressPlan): Promise<void> {
  const by = masqueradeBy(options.masquerade, parts)
  if (by === undefined) return
  const holder = holderOf(request)
  undo.push(async () => {
    await forgetRules(holder, 'masquerade', parts)
    await by.remove(holder, ips)
  })
  await step('failed to set up masquerade (ipMasq)', () => by.add(holder, ips))
  // Once they stand: the daemon would write what another process is about to.
  const wanted: WantedMasquerade = { masquerade: options.masquerade, ips: ips.map(withPrefix) }
  await keepRules(request, { kind: 'masquerade', wanted }, parts)
}

function withPrefix({ address, prefixLength }: AddressWithPrefix): AddressWithPrefix {
  return { address, prefixLength }
}

async function dropSpoofed(
  { request, parts, undo }: BridgeAttachment,
  pod: { readonly port: string; readonly mac: string },
): Promise<void> {
  const check = spoofCheck(parts.kernel)
  undo.push(() => check.remove(holderOf(request)))
  await step('failed to setup spoof-check (macspoofchk)', () => check.add(holderOf(request), pod))
}

interface Addresses {
  readonly plan: AddressPlan
  readonly dns: CniDns
}

async function addressesFor({ request, parts, options, undo }: BridgeAttachment): Promise<Addresses> {
  const { ipam = '' } = options
  const given = await parts.delegates.add(ipam, request)
  undo.push(() => parts.delegates.del(ipam, request))
  return { plan: addressPlan(given, options), dns: given.dns }
}

/** The link that carries the gateway's addresses, where it is not the bridge itself. */
async function setUpGateway(
  node: NamespaceNetwork,
  { gateways }: AddressPlan,
  options: BridgeConfiguration,
): Promise<CniInterface | undefined> {
  const link = gatewayLink(options)
  if (options.vlan !== 0) await ensureVlanLink(node, options)
  await ensureGateways(node, { link, gateways, ...options })
  await ensureForwarding(node, gateways)
  return options.vlan === 0 ? undefined : { name: link, mac: await macOf(node, link) }
}

async function macOf(network: NamespaceNetwork, name: string): Promise<string> {
  const link = await network.link(name)
  if (link === undefined) throw new CniError(CODE.io, `failed to lookup "${name}": it was deleted meanwhile`)
  return link.mac
}

interface Waiting {
  readonly node: NamespaceNetwork
  readonly clock: Clock
}

/** As long as the reference waits: two and a half seconds. The kernel has the port ready a moment after the pod's end is up. */
const PAUSES_MS = [0, 1, 2, 5, 10, 30, 100, 350, 1000, 1000]

async function readyPort({ node, clock }: Waiting, port: string, options: BridgeConfiguration): Promise<LinkState> {
  let last = 'gone'
  for (const pause of PAUSES_MS) {
    if (pause > 0) await clock.sleep(pause)
    const link = await node.link(port)
    if (link !== undefined && (link.operState === 'up' || options.container === 'down')) return link
    last = link?.operState ?? 'gone'
  }
  throw new CniError(
    CODE.io,
    `bridge port in error state: ${last}`,
    `${port} is a port of ${options.bridge}; look at: ip -d link show ${port}`,
  )
}

/** The configuration's where it says anything, as the reference does. */
function dnsOf(configured: CniDns, given: CniDns): CniDns {
  const { nameservers, domain, search, options } = configured
  const isSet = nameservers !== undefined || search !== undefined || options !== undefined || (domain ?? '') !== ''
  return isSet ? configured : given
}
