import { describe, expect, test } from 'vitest'
import { cannotRunPods, manyPods, NETWORK } from './network.ts'
import { runtimeForEach } from './runtime-for-each.ts'
import type { RuntimeNode } from './runtime-node.ts'

// Pods that a real container runtime begins and ends, through the protocol that a kubelet speaks with it.

const why = cannotRunPods()

describe.skipIf(why !== undefined)(`pods of containerd${why ? ` (skipped: ${why})` : ''}`, { timeout: 180_000 }, () => {
  let node: RuntimeNode
  runtimeForEach(NETWORK, started => {
    node = started
  })

  test('reach each other, the outside with the address of the node, and are reached by hostPort', async () => {
    await node.addOutside()
    const blue = await node.run('blue', { hostPort: 8080, containerPort: 80, protocol: 'TCP' })
    const green = await node.run('green')
    expect([blue.address, green.address]).toEqual(['10.244.0.2', '10.244.0.3'])
    expect(node.node.held()).toEqual([`pods ${blue.id}`, `pods ${green.id}`].sort())
    expect(node.asked(green, blue.address)).toBe(`blue ${green.address}`)
    expect(node.asked(green, '203.0.113.9')).toBe('outside 203.0.113.1')
    expect(node.asked('outside', '203.0.113.1:8080')).toBe('blue 203.0.113.9')
    // Another pod of the same bridge, and the pod itself.
    expect(node.asked(green, '203.0.113.1:8080')).toMatch(/^blue /)
    expect(node.asked(blue, '203.0.113.1:8080')).toMatch(/^blue /)
    await node.end(blue)
    // Stopped and removed: one DEL has the namespace and the result, the other one nothing.
    const calls = () => node.daemon.lines.filter(line => line.includes(`network="pods" container="${blue.id}"`))
    const commands = () => calls().flatMap(line => /command="(\w+)" plugin="bridge"/.exec(line)?.[1] ?? [])
    await expect.poll(commands).toEqual(['ADD', 'DEL', 'DEL'])
    expect(node.isAnswered('outside', '203.0.113.1:8080')).toBe(false)
    expect(node.asked(green, '203.0.113.9')).toBe('outside 203.0.113.1')
  })

  test('24 at once have 24 addresses, and leave nothing when they have gone', async () => {
    const before = node.state()
    const pods = await manyPods(node, 24)
    expect(new Set(pods.map(({ address }) => address)).size).toBe(24)
    expect(node.node.held()).toHaveLength(24)
    expect(node.namespaces().flatMap(({ addresses }) => addresses)).toHaveLength(24)
    const [first, last] = [pods[0]!, pods[23]!]
    expect(node.asked(first, last.address)).toBe(`pod-23 ${first.address}`)
    await Promise.all(pods.map(pod => node.end(pod)))
    expect(await node.client.list()).toEqual([])
    expect(node.node.held()).toEqual([])
    expect(node.state()).toEqual({ ...before, links: [...before.links, 'cni0'] })
  })
})
