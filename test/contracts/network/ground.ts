import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import type { NamespaceNetwork, Networks } from '#system/network/network.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { type Cidr, parseCidr } from '#values/cidr.ts'
import { type Namespace, newNamespace } from '../../kernel/namespace.ts'

// Two network namespaces, a node's and a pod's, with nothing in them but what a test makes; and what `ip` says of them.

export class Ground {
  readonly node: NamespaceNetwork
  readonly pod: NamespaceNetwork
  readonly podPath: string
  readonly #namespaces: readonly Namespace[]

  private constructor(namespaces: readonly Namespace[], [node, pod]: readonly [NamespaceNetwork, NamespaceNetwork]) {
    this.#namespaces = namespaces
    this.node = node
    this.pod = pod
    this.podPath = pathOf(namespaces[1]!)
  }

  static async open(networks: Networks): Promise<Ground> {
    const [node, pod] = [await newNamespace('net-node'), await newNamespace('net-pod')]
    return new Ground([node, pod], [await networks.open(pathOf(node)), await networks.open(pathOf(pod))])
  }

  /** What a command prints inside the node's namespace, or the pod's. */
  async run(where: 'node' | 'pod', ...argv: readonly [string, ...string[]]): Promise<string> {
    const namespace = this.#namespaces[where === 'node' ? 0 : 1]!
    return (await must(namespace.kernel, anyCommand(argv))).stdout
  }

  /** `ip -json …` */
  async ip<T = Readonly<Record<string, unknown>>>(
    where: 'node' | 'pod',
    ...words: readonly string[]
  ): Promise<readonly T[]> {
    return JSON.parse((await this.run(where, 'ip', '-details', '-json', ...words)) || '[]')
  }

  /** `cni0` with a port `veth1`, the other end of which is `eth0` in the pod. */
  async bridgeAndPod(): Promise<void> {
    await this.node.addBridge('cni0', {})
    await this.node.changeLink('cni0', { state: 'up' })
    const peer = { name: 'eth0', namespace: this.podPath }
    await this.node.addVeth({ name: 'veth1', master: 'cni0', state: 'up' }, peer)
    await this.pod.changeLink('eth0', { state: 'up' })
  }

  address(text: string): Address {
    return parseAddress(text)!
  }

  cidr(text: string): Cidr {
    return parseCidr(text)!
  }

  async end(): Promise<void> {
    this.node.close()
    this.pod.close()
    for (const namespace of this.#namespaces) await namespace.end()
  }
}

export function pathOf({ name }: Namespace): string {
  return `/run/netns/${name}`
}

/** How it is refused, in the kernel's word. */
export async function codeOf(change: Promise<unknown>): Promise<string> {
  return change.then(
    () => 'done',
    (error: { readonly name?: string; readonly code?: string }) =>
      error.name === 'NetworkRefused' ? (error.code ?? 'no code') : `${error.name}: ${error}`,
  )
}
