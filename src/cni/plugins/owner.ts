import type { CniRequest } from '#cni/protocol/request.ts'
import type { Holder, LeaseOwner } from '#ipam/leases/lease-book.ts'
import type { PluginParts } from './plugin.ts'

// A request → who holds the lease: what DEL and CHECK know, and for an ADD the pod, and the namespace that proves it lives.

export function holderOf({ config, container, ifname }: CniRequest): Holder {
  return { network: config.name, container, ifname }
}

export async function ownerOf(request: CniRequest, { files }: Pick<PluginParts, 'files'>): Promise<LeaseOwner> {
  const { netns } = request
  const namespaceId = netns === undefined ? undefined : await files.namespaceId(netns)
  return {
    ...holderOf(request),
    ...podIn(request.args),
    ...(netns !== undefined && { netns }),
    ...(namespaceId !== undefined && { namespaceId }),
  }
}

/** Of Kubernetes' runtimes; podman gives a name alone. */
export function podIn(args: ReadonlyMap<string, string>): Pick<LeaseOwner, 'pod' | 'uid'> {
  const [name, namespace, uid] = ['K8S_POD_NAME', 'K8S_POD_NAMESPACE', 'K8S_POD_UID'].map(key => word(args.get(key)))
  return {
    ...(name !== undefined && { pod: namespace === undefined ? name : `${namespace}/${name}` }),
    ...(uid !== undefined && { uid }),
  }
}

/** A name is printed in tables: anything but one word of plain letters would break their lines, and is no name of a pod. */
function word(text: string | undefined): string | undefined {
  return text !== undefined && /^[\x21-\x7e]{1,253}$/.test(text) ? text : undefined
}
