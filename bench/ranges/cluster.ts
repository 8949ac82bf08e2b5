import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'

// A cluster of Nodes as kubelets write them, with conditions and images: five kilobytes each.

const IMAGES = Array.from({ length: 25 }, (_, i) => ({
  names: [
    `images.example/team/service-${i}@sha256:${String(i).padStart(64, '0')}`,
    `images.example/team/service-${i}:1.${i}`,
  ],
  sizeBytes: 50_000_000 + i,
}))

export class NodesOnly {
  readonly server: ApiServer

  private constructor(server: ApiServer) {
    this.server = server
  }

  static async start(nodes: number): Promise<NodesOnly> {
    const cluster = new NodesOnly(await startApiServer())
    for (let i = 0; i < nodes; i++) cluster.join(`node-${i}`)
    return cluster
  }

  join(name: string): void {
    this.server.store.put({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } },
      spec: {},
      status: {
        addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
        conditions: ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map(type => ({
          ...{ type, status: 'False', reason: `KubeletHas${type}`, message: `kubelet has sufficient ${type}` },
          ...{ lastHeartbeatTime: '2026-11-20T10:00:00Z', lastTransitionTime: '2026-11-20T10:00:00Z' },
        })),
        images: IMAGES,
        nodeInfo: { kubeletVersion: 'v1.36.0', containerRuntimeVersion: 'containerd://2.1.0', architecture: 'amd64' },
      },
    })
  }

  podCIDRs(name: string): readonly string[] {
    return rangesOf(this.server.store.list('Node').find(({ metadata }) => metadata.name === name))
  }

  /** How many have theirs; throws where two have the same. */
  served(): number {
    const all = this.server.store.list('Node').map(rangesOf)
    const given = all.flat()
    if (new Set(given).size < given.length) throw new Error('two nodes have one range')
    return all.filter(ranges => ranges.length > 0).length
  }

  close(): Promise<void> {
    return this.server.close()
  }
}

function rangesOf(node: { readonly [field: string]: unknown } | undefined): readonly string[] {
  return (node?.spec as { readonly podCIDRs?: readonly string[] } | undefined)?.podCIDRs ?? []
}
