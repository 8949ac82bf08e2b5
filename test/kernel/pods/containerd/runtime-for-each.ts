import { afterEach, beforeEach } from 'vitest'
import { installedOnce } from '../node-for-each.ts'
import { RuntimeNode } from './runtime-node.ts'

// One installation for the tests of a file, and for each of them a node whose runtime has the network.

/** `started` is called before each test, before the runtime begins. */
export function runtimeForEach(network: object, started: (node: RuntimeNode) => void | Promise<void>): void {
  const installation = installedOnce()
  let node: RuntimeNode | undefined
  beforeEach(async () => {
    node = await RuntimeNode.start(installation())
    node.configure(network)
    await started(node)
    await node.startRuntime()
  })
  afterEach(() => node?.stop())
}
