import type { TestContext } from 'vitest'
import { ClusterApi } from './cluster-api.ts'
import { type Installation, PodsNode, type RunningDaemon } from './pods-node.ts'

// Two nodes and an API server of their own, so that tests of a file run at the same time: most of theirs is waiting.

export class TwoNodes {
  readonly api: ClusterApi
  readonly nodes: readonly [PodsNode, PodsNode]
  readonly expect: TestContext['expect']

  private constructor({ api, nodes, expect }: Pick<TwoNodes, 'api' | 'nodes' | 'expect'>) {
    this.api = api
    this.nodes = nodes
    this.expect = expect
  }

  /** They end with the test. */
  static async begin(
    installation: Installation,
    { expect, onTestFinished }: Pick<TestContext, 'expect' | 'onTestFinished'>,
  ): Promise<TwoNodes> {
    const api = await ClusterApi.start()
    onTestFinished(() => api.close())
    const node = async (): Promise<PodsNode> => {
      const begun = await PodsNode.start(installation)
      onTestFinished(() => begun.stop())
      return begun
    }
    return new TwoNodes({ api, nodes: [await node(), await node()], expect })
  }

  /** The daemon of a node, which takes its ranges from the cluster and lays no routes. */
  async started(node: PodsNode, name: string, ...flags: readonly string[]): Promise<RunningDaemon> {
    node.flags = [await this.api.reachableFrom(node), `--hostname-override=${name}`, '--routes=off', ...flags]
    return node.startDaemon()
  }
}
