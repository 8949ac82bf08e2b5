import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniAddress, CniInterface, CniResult, CniRoute } from '#cni/protocol/result.ts'
import type { AddressWithPrefix, LinkState, NamespaceNetwork } from '#system/network/network.ts'
import { cidrFamily, contains, prefixOf } from '#values/cidr.ts'
import { holderOf } from '../owner.ts'
import type { BridgeAttachment } from './attach.ts'
import type { BridgeConfiguration } from './configuration.ts'
import { routeOn } from './links/container.ts'
import { familiesOf, forwards, gatewayLink, isEqual, shown } from './links/gateway-address.ts'
import { portVlans } from './links/link.ts'
import { isLaid } from './links/route-check.ts'
import { masqueradeBy } from './rules/choice.ts'
import { type SpoofedPod, spoofCheck } from './rules/spoof-check.ts'

// What an ADD said it made → the first thing of it that is no longer so.

export type Checked = Omit<BridgeAttachment, 'undo'>

export async function checkAttachment(checked: Checked): Promise<void> {
  const { request, options, node, pod, namespace } = checked
  const result = request.config.prevResult
  if (result === undefined) throw new CniError(CODE.config, 'Required prevResult missing')
  const { ifname } = request
  const container = result.interfaces.find(({ name, sandbox }) => name === ifname && sandbox === namespace)
  if (container === undefined) throw gone(`prevResult has no interface "${ifname}" in sandbox ${namespace}`)
  const bridge = await checkBridge(node, options, result)
  const link = await checkContainer(pod, container, options)
  const port = await checkPort(node, { bridge, container: link }, result)
  await checkPortSettings(node, port, options)
  const own = ipsOn(container, result)
  await checkAddresses(pod, ifname, own)
  await checkRoutes(pod, ifname, { own, routes: result.routes })
  if (options.isGateway) await checkGateway(node, options, own)
  await checkRules(checked, own, { port: port.name, mac: link.mac })
}

/** Later plugins of the chain may have made interfaces of their own, with addresses. */
function ipsOn(container: CniInterface, { interfaces, ips }: CniResult): readonly CniAddress[] {
  return ips.filter(ip => ip.interface === undefined || interfaces[ip.interface] === container)
}

async function checkBridge(
  node: NamespaceNetwork,
  options: BridgeConfiguration,
  result: CniResult,
): Promise<LinkState> {
  const { bridge: name, isPromiscuous } = options
  const link = await node.link(name)
  if (link === undefined) throw gone(`CNI created bridge ${name} in host namespace was not found`)
  if (link.kind !== 'bridge')
    throw gone(`Interface ${name} does not have link type of bridge: it is ${link.kind || 'hardware'}`)
  if (!link.isUp) throw gone(`Bridge interface ${name} is down`)
  // Pods know their gateway by it. A bridge of another program without that part may change it with each port.
  if (options.isGateway) {
    checkMac(
      'Bridge interface',
      link,
      result.interfaces.find(one => one.name === name && one.sandbox === undefined),
    )
  }
  if (isPromiscuous && !link.isPromiscuous)
    throw gone(`Bridge interface ${name} configured Promisc Mode true doesn't match current state: false`)
  return link
}

async function checkContainer(
  pod: NamespaceNetwork,
  expected: CniInterface,
  { container }: BridgeConfiguration,
): Promise<LinkState> {
  const link = await pod.link(expected.name)
  if (link === undefined) throw gone(`Interface name ${expected.name} not found in the container`)
  if (link.kind !== 'veth')
    throw gone(`Container interface ${expected.name} not of type veth: it is ${link.kind || 'hardware'}`)
  checkMac('Interface', link, expected)
  if (container === 'up' && !link.isUp) throw gone(`Container interface ${expected.name} is down`)
  return link
}

function checkMac(what: string, link: LinkState, expected: CniInterface | undefined): void {
  if (expected?.mac === undefined || expected.mac.toLowerCase() === link.mac) return
  throw gone(`${what} ${link.name} Mac ${expected.mac} doesn't match its current one: ${link.mac}`)
}

interface Ends {
  readonly bridge: LinkState
  readonly container: LinkState
}

/** The other end of the container's interface, by the number that the kernel has for it. */
async function checkPort(node: NamespaceNetwork, { bridge, container }: Ends, result: CniResult): Promise<LinkState> {
  const names = result.interfaces.filter(({ sandbox }) => sandbox === undefined).map(({ name }) => name)
  for (const name of names) {
    const link = await node.link(name)
    if (link === undefined || link.index !== container.peer || link.peer !== container.index) continue
    if (link.master !== bridge.index) throw gone(`CNI veth ${name} is no port of bridge ${bridge.name}`)
    checkMac(
      'Interface',
      link,
      result.interfaces.find(one => one.name === name),
    )
    if (!link.isUp) throw gone(`CNI veth ${name}, a port of bridge ${bridge.name}, is down`)
    return link
  }
  throw gone(`CNI veth created for bridge ${bridge.name} was not found`)
}

async function checkPortSettings(
  node: NamespaceNetwork,
  { name }: LinkState,
  options: BridgeConfiguration,
): Promise<void> {
  const port = await node.bridgePort(name)
  if (port === undefined) throw gone(`CNI veth ${name} is no port of a bridge`)
  if (options.container === 'up' && port.state === 'disabled')
    throw gone(`bridge port ${name} is in state ${port.state}`)
  // What a later plugin of the chain has turned on is not ours to complain of.
  if (options.isHairpin && !port.hasHairpin) throw gone(`bridge port ${name}: hairpin is off`)
  if (options.isIsolated && !port.isIsolated) throw gone(`bridge port ${name}: port isolation is off`)
  const wanted = portVlans(options)
  const vlans = wanted.length === 0 ? [] : await node.vlans(name)
  const missing = wanted.find(vlan => !vlans.some(({ id, isPvid }) => id === vlan.id && isPvid === vlan.isPvid))
  if (missing !== undefined)
    throw gone(`bridge port ${name} is not in VLAN ${missing.id}${missing.isPvid ? ' without tag' : ''}`)
}

async function checkAddresses(pod: NamespaceNetwork, ifname: string, own: readonly CniAddress[]): Promise<void> {
  const present = own.length === 0 ? [] : await pod.addresses(ifname)
  const missing = own.find(address => !present.some(one => isEqual(one, address)))
  if (missing !== undefined) throw gone(`Failed to match addr ${shown(missing)} on interface ${ifname}`)
}

interface CheckedRoutes {
  readonly own: readonly CniAddress[]
  readonly routes: readonly CniRoute[]
}

async function checkRoutes(pod: NamespaceNetwork, ifname: string, { own, routes }: CheckedRoutes): Promise<void> {
  const ranges = own.map(({ address, prefixLength }) => prefixOf(address, prefixLength))
  for (const route of routes) {
    const wanted = routeOn(ifname, route, { ips: own })
    const { destination, gateway } = wanted
    // A result does not say by which interface a route leaves: one whose gateway is not on this one may be another's.
    const isOwn = gateway === undefined || ranges.some(range => contains(range, gateway))
    const laid = await pod.routes(cidrFamily(destination))
    if (!laid.some(one => isLaid(isOwn ? one : { ...one, link: ifname }, wanted)))
      throw gone(`Expected Route ${destination}${gateway ? ` via ${gateway}` : ''} not found in routing table`)
  }
}

async function checkGateway(
  node: NamespaceNetwork,
  options: BridgeConfiguration,
  ips: readonly CniAddress[],
): Promise<void> {
  const link = gatewayLink(options)
  const gateways: readonly AddressWithPrefix[] = ips.flatMap(({ gateway, prefixLength }) =>
    gateway === undefined ? [] : [{ address: gateway, prefixLength }],
  )
  const present = await node.addresses(link)
  const missing = gateways.find(wanted => !present.some(one => isEqual(one, wanted)))
  if (missing !== undefined) throw gone(`gateway address ${shown(missing)} is not on "${link}"`)
  for (const family of familiesOf(gateways)) {
    if (!(await forwards(node, family))) throw gone(`forwarding of ${family} is off on the node`)
  }
}

async function checkRules(checked: Checked, own: readonly CniAddress[], port: SpoofedPod): Promise<void> {
  const { request, parts, options } = checked
  const holder = holderOf(request)
  const missing = await masqueradeBy(options.masquerade, parts)?.missing(holder, own)
  if (missing !== undefined && missing.length > 0)
    throw gone(`masquerade (ipMasq) of ${missing.map(({ address }) => address).join(', ')} is missing`)
  if (options.checksSpoofing && !(await spoofCheck(parts.kernel).isThere(holder, port)))
    throw gone(`rules against spoofed addresses (macspoofchk) of ${port.port} are missing`)
}

function gone(message: string): CniError {
  return new CniError(CODE.internal, message, 'remove the pod, so that its successor is attached anew')
}
