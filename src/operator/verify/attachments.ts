import { isJsonObject, readJson } from '#cni/protocol/json.ts'
import type { JsonObject } from '#cni/protocol/request.ts'
import { type KeptAttachment, ResultCache } from '#cni/runner/result-cache.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import type { NamespaceNetwork, Networks } from '#system/network/network.ts'
import type { PlainFiles } from '#system/plain-files.ts'
import { familyOf } from '#values/address.ts'
import { type Cidr, cidrFamily } from '#values/cidr.ts'
import { type MadeAttachment, type NodeNow, nodeFindings, type PodNow, podFindings } from '#verify/pods/attachments.ts'
import type { AttachmentChange, AttachmentFinding } from '#verify/pods/finding.ts'

// What the runtime has kept of each ADD, and the namespaces of this node → what of an attachment is not there.

/** Where libcni keeps results, now and before. */
const FOLDERS = ['/var/lib/cni', '/var/lib/cni/cache'] as const

export interface AttachmentsParts {
  readonly leases: readonly Lease[]
  readonly networks: Networks
  readonly files: PlainFiles
}

/** Pods without a kept result are passed over: what their ADD made is not known. So are those whose namespaces are gone. */
export async function attachmentFindings(parts: AttachmentsParts): Promise<readonly AttachmentFinding[]> {
  const made = await madeAttachments(parts)
  if (made.length === 0) return []
  const seen = await Promise.all(made.map(async one => ({ made: one, now: await podNow(one, parts.networks) })))
  const there = seen.flatMap(({ made, now }) => (now === undefined ? [] : [{ made, now }]))
  const node = await parts.networks.open()
  try {
    const now = await nodeNow(node)
    const pods = there.flatMap(one => podFindings(one.made, one.now, now))
    return [
      ...nodeFindings(
        there.map(one => one.made),
        now,
      ),
      ...pods,
    ]
  } finally {
    node.close()
  }
}

async function nodeNow(node: NamespaceNetwork): Promise<NodeNow> {
  const isOn = async (path: string): Promise<boolean> => Number(await node.setting(path)) >= 1
  return {
    links: await node.links(),
    addresses: await node.addresses(),
    forwards: { ipv4: await isOn('ipv4/ip_forward'), ipv6: await isOn('ipv6/conf/all/forwarding') },
  }
}

/** Undefined where its namespace is gone: that is a leaked lease. */
async function podNow({ netns, ifname }: MadeAttachment, networks: Networks): Promise<PodNow | undefined> {
  try {
    const pod = await networks.open(netns)
    try {
      const link = await pod.link(ifname)
      const addresses = link === undefined ? [] : await pod.addresses(ifname)
      return { link, addresses, routes: { ipv4: await pod.routes('ipv4'), ipv6: await pod.routes('ipv6') } }
    } finally {
      pod.close()
    }
  } catch {
    return undefined
  }
}

async function madeAttachments({ leases, files }: AttachmentsParts): Promise<readonly MadeAttachment[]> {
  const holders = new Map(leases.map(lease => [`${lease.network} ${lease.container} ${lease.ifname}`, lease]))
  const networks = [...new Set(leases.map(({ network }) => network))]
  const found = await Promise.all(
    FOLDERS.flatMap(folder => networks.map(network => new ResultCache(files, folder).attachments(network))),
  )
  return found.flat().flatMap(kept => {
    const lease = holders.get(`${kept.network} ${kept.container} ${kept.ifname}`)
    return lease === undefined ? [] : (madeOf(kept, lease) ?? [])
  })
}

/** Undefined where it is no bridge's, or not understood. */
function madeOf({ result, network, netns, ifname, config }: KeptAttachment, lease: Lease): MadeAttachment | undefined {
  const plugin = bridgeIn(config)
  if (result === undefined || plugin === undefined) return undefined
  const own = result.interfaces.filter(({ sandbox }) => sandbox === undefined || sandbox === '')
  const inside = result.interfaces.findIndex(one => one.name === ifname && Boolean(one.sandbox))
  const [bridge, port] = own
  if (bridge === undefined || port === undefined || inside < 0) return undefined
  const ips = result.ips.filter(ip => ip.interface === undefined || ip.interface === inside)
  return {
    pod: lease.pod ?? `container ${lease.container.slice(0, 13)}`,
    ...{ network, netns: netns || (lease.netns ?? ''), ifname },
    ...{
      bridge: bridge.name,
      port: port.name,
      isGateway: plugin.isGateway === true || plugin.isDefaultGateway === true,
    },
    ips: ips.map(({ address, prefixLength, gateway }) => ({
      ...{ address, prefixLength },
      ...(gateway !== undefined && { gateway }),
    })),
    routes: result.routes.filter(({ table }) => table === undefined).map(({ dst, gw }) => routeOf(dst, gw, ips)),
  }
}

/** Through the gateway of its family where it names none, as it was laid. */
function routeOf(dst: Cidr, gw: MadeAttachment['ips'][number]['gateway'], ips: MadeAttachment['ips']) {
  const gateway = gw ?? ips.find(ip => ip.gateway !== undefined && familyOf(ip.address) === cidrFamily(dst))?.gateway
  return { dst, ...(gateway !== undefined && { gateway }) }
}

/** The plugin of a list that makes the interface, or the only one. */
function bridgeIn(config: string): JsonObject | undefined {
  const read = readJson(config)
  if (!read.ok || !isJsonObject(read.json)) return undefined
  const { plugins } = read.json
  const all = Array.isArray(plugins) ? plugins.filter(isJsonObject) : [read.json]
  return all.find(
    ({ type, plugin }) => type === 'bridge' || (type === 'switchyard' && (plugin === undefined || plugin === 'bridge')),
  )
}

/** Changes one thing, as it was made. Fails with NetworkRefused. */
export async function mendAttachment(change: AttachmentChange, networks: Networks): Promise<void> {
  const network = await networks.open(change.in === 'pod' ? change.netns : undefined)
  try {
    await applied(change, network)
  } finally {
    network.close()
  }
}

async function applied(change: AttachmentChange, network: NamespaceNetwork): Promise<unknown> {
  switch (change.do) {
    case 'up':
      return network.changeLink(change.link, { state: 'up' })
    case 'master':
      return network.changeLink(change.link, { master: change.master })
    case 'address':
      return network.addAddress(change.link, { ...change.address, withoutDad: true })
    case 'forward':
      return network.changeSetting(change.family === 'ipv4' ? 'ipv4/ip_forward' : 'ipv6/conf/all/forwarding', '1')
    case 'route':
      return network.addRoute(change.route)
  }
}
