import { expect, vi } from 'vitest'
import type { PodsNode } from './pods-node.ts'

/**
 * A pod that goes without a DEL. The kernel takes a namespace apart when all else is done, and until its port has gone, the pod
 * may be there for all one knows.
 */
export async function vanish(node: PodsNode, pod: string): Promise<void> {
  const before = node.links().length
  node.run('ip', 'netns', 'delete', pod)
  await vi.waitFor(() => expect(node.links().length).toBeLessThan(before), { timeout: 60_000 })
}
