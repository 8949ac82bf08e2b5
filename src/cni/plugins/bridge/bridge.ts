import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import type { NamespaceNetwork } from '#system/network/network.ts'
import type { CniPlugin, PluginParts } from '../plugin.ts'
import { attach } from './attach.ts'
import { checkAttachment } from './check.ts'
import { bridgeConfiguration, ipamType } from './configuration.ts'
import { collect, detach } from './detach.ts'
import { step } from './failed.ts'
import { bridgeNamed, refuseExisting } from './links/link.ts'
import { Undo } from './undo.ts'

// `bridge`: a pod gets an interface whose other end is a port of a bridge on the node.

export const bridge: CniPlugin = {
  type: 'bridge',

  async add(request, parts) {
    const options = bridgeConfiguration(request)
    return inNamespaces(request, parts, async ({ node, pod, namespace }) => {
      await refuseExisting(pod, request.ifname)
      const undo = new Undo()
      try {
        return await attach({ request, parts, options, node, pod, namespace, undo })
      } catch (error) {
        await undo.run()
        throw error
      }
    })
  },

  del: detach,

  async check(request, parts) {
    const options = bridgeConfiguration(request)
    if (options.ipam !== undefined) await parts.delegates.check(options.ipam, request)
    await inNamespaces(request, parts, ({ node, pod, namespace }) =>
      checkAttachment({ request, parts, options, node, pod, namespace }),
    )
  },

  async status(request, parts) {
    const { bridge } = bridgeConfiguration(request)
    const node = await parts.networks.open()
    try {
      await bridgeNamed(node, bridge)
    } catch (error) {
      throw new CniError(CODE.notAvailable, (error as Error).message, 'no pod can be attached to it')
    } finally {
      node.close()
    }
    const ipam = ipamType(request)
    if (ipam !== undefined) await parts.delegates.status(ipam, request)
  },

  gc: collect,
}

interface Namespaces {
  readonly node: NamespaceNetwork
  readonly pod: NamespaceNetwork
  readonly namespace: string
}

/** That the pod's is not the node's own, `answer` has seen to. */
async function inNamespaces<T>(
  { netns }: CniRequest,
  { networks }: PluginParts,
  use: (namespaces: Namespaces) => Promise<T>,
): Promise<T> {
  if (netns === undefined) throw new CniError(CODE.environment, 'required env variables [CNI_NETNS] missing')
  const pod = await step(`failed to open netns "${netns}"`, () => networks.open(netns))
  try {
    const node = await networks.open()
    try {
      return await use({ node, pod, namespace: netns })
    } finally {
      node.close()
    }
  } finally {
    pod.close()
  }
}
