import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { VERSION } from '#command-line/version.ts'
import type { Pod } from '#lab/client/objects.ts'
import { namespacePath } from '#lab/network/namespaces.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import type { NodePlace } from '../../node-place.ts'
import { ContainerLog } from '../../streams/container-log.ts'
import { startExec } from '../../streams/exec-session.ts'
import type { ContainerRun, ContainerStart, PodRuntime, Sandbox } from '../pod-runtime.ts'
import { type NamespaceRun, runCommand } from './command-run.ts'
import { daemonPlugins } from './daemon-plugins.ts'
import { endInhabitants } from './inhabitants.ts'
import { addPodNamespace, namespaceOf, removePodNamespace } from './pod-namespace.ts'
import { PodNetwork } from './pod-network.ts'
import { podWords } from './pod-words.ts'
import { runProgram } from './program-run.ts'

// Pods without images: a network namespace each, and in it either the command of a container, as a process of this machine, or
// where it has none, our own small program.

export interface NamespacesRuntimeParts {
  readonly node: NodePlace
  /** The machine's, outside of every node. */
  readonly kernel: Kernel
  readonly clock: Clock
}

export class NamespacesRuntime implements PodRuntime {
  readonly version = `switchyard://${VERSION.replace(/^v/, '')}`
  readonly #parts: NamespacesRuntimeParts
  readonly #network: PodNetwork
  readonly #resolver: string

  constructor(parts: NamespacesRuntimeParts) {
    const { node, clock } = parts
    this.#parts = parts
    this.#network = new PodNetwork(node, daemonPlugins(node, clock))
    mkdirSync(join(node.folder, 'lib/kubelet'), { recursive: true })
    this.#resolver = join(node.folder, 'lib/kubelet/resolv.conf')
    // No look-up waits for an answer that cannot come.
    writeFileSync(this.#resolver, 'nameserver 127.0.0.1\n')
  }

  networkProblem(): Promise<string | undefined> {
    return this.#network.problem()
  }

  async makeSandbox(pod: Pod): Promise<Sandbox> {
    const { node, kernel } = this.#parts
    const { uid = '', namespace = 'default', name = '' } = pod.metadata
    const whose = { id: uid.replaceAll('-', ''), uid, namespace, name }
    if (pod.spec?.hostNetwork) {
      const ips = [node.ip4, ...(node.ip6 === undefined ? [] : [node.ip6])]
      return { ...whose, ips, netns: node.namespace, isOfNode: true }
    }
    const netns = namespaceOf(node, pod)
    await addPodNamespace(kernel, netns, pod)
    try {
      const ips = await this.#network.attach(pod, whose.id, namespacePath(netns))
      return { ...whose, ips, netns }
    } catch (error) {
      await removePodNamespace(kernel, netns)
      throw error
    }
  }

  async standing(): Promise<readonly Sandbox[]> {
    const { clock } = this.#parts
    const attached = await this.#network.attached()
    for (const { netns } of attached) await endInhabitants(netns, clock)
    return attached.map(({ container, netns, ...whose }) => ({ id: container, netns: basename(netns), ...whose }))
  }

  async start({ sandbox, container, env, attempt }: ContainerStart): Promise<ContainerRun> {
    const log = new ContainerLog(this.#parts.clock.now)
    const all = { PATH: process.env.PATH ?? '', HOSTNAME: sandbox.name, ...env }
    const words = (command: readonly string[]) =>
      podWords({ netns: sandbox.netns!, hostname: sandbox.name, resolver: this.#resolver, command })
    const { command = [], args = [] } = container
    const run: NamespaceRun =
      command.length > 0
        ? runCommand(words([...command, ...args]), { env: all, log, clock: this.#parts.clock })
        : await runProgram({ sandbox, container, log, clock: this.#parts.clock })
    return {
      ...run,
      id: `switchyard://${sandbox.id}-${container.name}-${attempt}`,
      log: options => log.read(options),
      exec: ({ command: asked, ...streams }) => startExec({ argv: words(asked), env: all, ...streams }),
    }
  }

  async removeSandbox({ id, netns, isOfNode }: Sandbox): Promise<void> {
    if (isOfNode) return
    const path = namespacePath(netns!)
    await endInhabitants(path, this.#parts.clock)
    await this.#network.detach(id, path)
    await removePodNamespace(this.#parts.kernel, netns!)
  }

  async close(): Promise<void> {}
}
