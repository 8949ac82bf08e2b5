import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { Installation, PodsNode } from './pods-node.ts'

// One installation for the tests of a file, and a node for each of them.

/** `started` is called before each test. */
export function nodeForEach(started: (node: PodsNode, installation: Installation) => void | Promise<void>): void {
  const installation = installedOnce()
  let node: PodsNode | undefined
  beforeEach(async () => {
    node = await PodsNode.start(installation())
    await started(node, installation())
  })
  afterEach(async () => {
    await node?.stop()
    installation().removeFallback()
  })
}

/** Built before the first test. */
export function installedOnce(): () => Installation {
  let installation: Installation | undefined
  beforeAll(() => {
    installation = new Installation()
  })
  afterAll(() => installation?.remove())
  return () => installation!
}
