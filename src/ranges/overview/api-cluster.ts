import { listAll } from '#kubernetes/lists.ts'
import type { ApiTransport } from '#kubernetes/transport.ts'
import type { Clock } from '#system/ports.ts'
import type { LeftOut } from './decoded.ts'
import { fieldsIn, type RawCluster, type RawObject } from './raw-objects.ts'

// An API server → the objects that say which ranges there are and what is taken of them. One look, no watch; pods are cut down
// to their addresses page by page, since a large cluster's do not fit into memory as they are.

const WITHIN_MS = 60_000

type Get = Pick<ApiTransport, 'get'>

export interface ApiClusterParts {
  readonly transport: Get
  readonly clock: Clock
  readonly leftOut: LeftOut
}

export async function apiCluster({ transport, clock, leftOut }: ApiClusterParts): Promise<RawCluster> {
  const [over, done] = [new AbortController(), new AbortController()]
  void clock.sleep(WITHIN_MS, done.signal).then(() => over.abort(new Error(`no lists for ${WITHIN_MS / 1000} s`)))
  try {
    return await listed(transport, over.signal, leftOut)
  } finally {
    done.abort()
  }
}

async function listed(transport: Get, signal: AbortSignal, leftOut: LeftOut): Promise<RawCluster> {
  const list = (path: string) =>
    listAll(transport, { path, signal }, path.endsWith('/pods') ? podPart : item => item as RawObject)
  const optional = async (path: string, what: string) => {
    const found = await list(path)
    if (typeof found !== 'number') return found
    if (found !== 404) leftOut(`${what}: the API server answered ${found}`)
    return undefined
  }
  const needed = async (path: string) => {
    const found = await list(path)
    if (typeof found === 'number') throw new Error(`the API server answered ${found} to a list of ${path}`)
    return found
  }
  const configMap = async (name: string) => {
    const found = await one(transport, `/api/v1/namespaces/kube-system/configmaps/${name}`, signal)
    if (typeof found !== 'number') return [found]
    if (found !== 404) leftOut(`ConfigMap kube-system/${name}: the API server answered ${found}`)
    return []
  }
  const [nodes, services, serviceCIDRs, addresses, pods, kubeadm, ring] = await Promise.all([
    needed('/api/v1/nodes'),
    needed('/api/v1/services'),
    optional('/apis/networking.k8s.io/v1/servicecidrs', 'ServiceCIDRs'),
    optional('/apis/networking.k8s.io/v1/ipaddresses', 'IPAddresses'),
    optional('/api/v1/pods', 'Pods'),
    configMap('kubeadm-config'),
    configMap('switchyard-ring'),
  ])
  return { nodes, services, serviceCIDRs, addresses, pods, configMaps: [...kubeadm, ...ring] }
}

function podPart(item: unknown): RawObject {
  const { spec, status } = fieldsIn(item)
  const { phase, podIPs, podIP } = fieldsIn(status)
  return { spec: { hostNetwork: fieldsIn(spec).hostNetwork }, status: { phase, podIPs, podIP } }
}

/** The status where it is not 200. */
async function one(transport: Get, path: string, signal: AbortSignal): Promise<RawObject | number> {
  const { status, body } = await transport.get({ path, signal })
  const text = await body.text()
  return status === 200 ? (JSON.parse(text) as RawObject) : status
}
