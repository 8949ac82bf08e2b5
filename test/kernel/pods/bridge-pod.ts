import type { CniResult } from '#cni/protocol/result.ts'
import { anyCommand } from '#lab/any-command.ts'
import { Host } from '#lab/network/host.ts'
import { namespacePath } from '#lab/network/namespaces.ts'
import { must } from '#system/must.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import type { Namespace } from '../namespace.ts'

// A network namespace that a runtime would have made for a pod, and what listens and connects in it.

export class Pod {
  readonly container: string
  readonly path: string
  readonly #namespace: Namespace
  #host: Host | undefined

  constructor(namespace: Namespace) {
    this.#namespace = namespace
    this.container = namespace.name
    this.path = namespacePath(namespace.name)
  }

  async run(...argv: readonly [string, ...string[]]): Promise<string> {
    return (await must(this.#namespace.kernel, anyCommand(argv))).stdout
  }

  /** What listens and connects here, with the addresses the pod was given. */
  host({ ips }: CniResult): Host {
    const [ip4, ip6] = [false, true].map(
      isIpv6 => ips.find(({ address }) => address.includes(':') === isIpv6)?.address ?? '',
    )
    this.#host ??= new Host(hostKernel(), {
      name: this.container,
      namespace: this.container,
      ip4: ip4!,
      ip6: ip6!,
      families: [...(ip4 === '' ? [] : ['ipv4' as const]), ...(ip6 === '' ? [] : ['ipv6' as const])],
    })
    return this.#host
  }

  async leave(): Promise<void> {
    await this.#host?.stop()
    await this.#namespace.end()
    this.#isGone = true
  }

  #isGone = false

  async end(): Promise<void> {
    if (!this.#isGone) await this.leave()
  }
}
