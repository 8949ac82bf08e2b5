import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import type { CniAddress, CniResult } from '#cni/protocol/result.ts'
import { type InterfaceAddress, type NamespaceNetwork, NetworkRefused } from '#system/network/network.ts'
import { FAMILIES, familyOf, isLoopback } from '#values/address.ts'
import type { CniPlugin, PluginParts } from '../plugin.ts'

// `loopback`: a pod's own `lo` goes up, and the kernel gives it its addresses. CNI_IFNAME does not matter: there is only one.

const NAME = 'lo'
/** A namespace that is gone took its `lo` along; a file that is no namespace was one before the machine started anew. */
const GONE: readonly string[] = ['ENOENT', 'EINVAL']
/** The specification leaves numbers from 100 on to plugins. */
const CHECK_FAILED = 100

export const loopback: CniPlugin = {
  type: 'loopback',

  /** In a chain, what comes from the plugins before is passed on as it is. */
  async add(request, parts) {
    const found = await inPod(request, parts, async pod => {
      await pod.changeLink(NAME, { state: 'up' })
      const [link, addresses] = [await pod.link(NAME), await pod.addresses(NAME)]
      return { mac: link?.mac ?? '', addresses }
    })
    return request.config.prevResult ?? resultOf(request, found)
  },

  async del(request, parts) {
    if (request.netns === undefined) return
    try {
      await inPod(request, parts, pod => pod.changeLink(NAME, { state: 'down' }))
    } catch (error) {
      if (!(error instanceof NetworkRefused && GONE.includes(error.code))) throw asCniError(error)
    }
  },

  async check(request, parts) {
    await inPod(request, parts, async pod => {
      const link = await pod.link(NAME)
      if (link?.isUp !== true) throw new CniError(CHECK_FAILED, 'loopback interface is down')
      const has = new Set((await pod.addresses(NAME)).map(({ address }) => address))
      const lost = given(request.config.prevResult).find(({ address }) => !has.has(address))
      if (lost !== undefined)
        throw new CniError(CHECK_FAILED, `loopback interface has lost its address ${lost.address}`)
    })
  },

  /** Nothing of it can be used up. */
  async status() {},

  /** Nothing of it outlives its namespace. */
  async gc() {},
}

async function inPod<T>(
  { command, netns }: CniRequest,
  { networks }: PluginParts,
  use: (pod: NamespaceNetwork) => Promise<T>,
): Promise<T> {
  if (netns === undefined) throw new CniError(CODE.environment, 'required env variables [CNI_NETNS] missing')
  try {
    const pod = await networks.open(netns)
    try {
      return await use(pod)
    } finally {
      pod.close()
    }
  } catch (error) {
    throw command === 'DEL' ? error : asCniError(error)
  }
}

function asCniError(error: unknown): unknown {
  return error instanceof NetworkRefused ? new CniError(CODE.io, `${NAME}: ${error.message}`) : error
}

interface Found {
  readonly mac: string
  readonly addresses: readonly InterfaceAddress[]
}

/** One address of each family that the kernel has; others that a pod's `lo` may hold are not loopback's. */
function resultOf({ netns }: CniRequest, { mac, addresses }: Found): CniResult {
  const own = addresses.filter(({ address }) => isLoopback(address))
  const first = FAMILIES.flatMap(family => own.find(({ address }) => familyOf(address) === family) ?? [])
  const ips = first.map(({ address, prefixLength }) => ({ address, prefixLength, interface: 0 }))
  return { interfaces: [{ name: NAME, mac, sandbox: netns! }], ips, routes: [], dns: {} }
}

/** What an ADD said of `lo`; in a chain, other addresses are other plugins'. Before 0.3.0 no interface is named. */
function given(result: CniResult | undefined): readonly CniAddress[] {
  return (result?.ips ?? []).filter(({ address }) => isLoopback(address))
}
