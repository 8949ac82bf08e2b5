import { afterEach, beforeEach } from 'vitest'
import { ClusterApi } from './cluster-api.ts'
import { installedOnce } from './node-for-each.ts'
import { type Installation, PodsNode } from './pods-node.ts'

/** Two nodes and an API server for each test of a file; `started` is called before each. */
export function twoNodesForEach(
  started: (nodes: readonly PodsNode[], api: ClusterApi, installation: Installation) => void,
): void {
  const installation = installedOnce()
  let api: ClusterApi
  let nodes: readonly PodsNode[]
  beforeEach(async () => {
    api = await ClusterApi.start()
    nodes = [await PodsNode.start(installation()), await PodsNode.start(installation())]
    started(nodes, api, installation())
  })
  afterEach(async () => {
    for (const node of nodes) await node.stop()
    await api.close()
  })
}
