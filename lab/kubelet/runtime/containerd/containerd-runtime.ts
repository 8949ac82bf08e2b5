import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { anyCommand } from '#lab/any-command.ts'
import type { Pod } from '#lab/client/objects.ts'
import { Containerd } from '#lab/containerd/containerd.ts'
import { removeCgroup } from '#lab/containerd/leftovers.ts'
import { CallRefused } from '#lab/containerd/runtime-client.ts'
import { namespacePath } from '#lab/network/namespaces.ts'
import { must } from '#system/must.ts'
import type { Clock, Command, Kernel } from '#system/ports.ts'
import { daemonSocket, type NodePlace, networkFolder } from '../../node-place.ts'
import { daemonPlugins } from '../namespaces/daemon-plugins.ts'
import { PodNetwork } from '../namespaces/pod-network.ts'
import {
  type ContainerRun,
  type ContainerStart,
  type PodRuntime,
  type Sandbox,
  SandboxRefused,
} from '../pod-runtime.ts'
import { ContainersClient } from './containers-client.ts'
import { podImage, sandboxImage } from './pod-image.ts'
import { runContainer } from './run-container.ts'

// Pods in containers, by a containerd of the node's own, asked as a kubelet asks it. Nothing is pulled: an image that it does not
// have is replaced by the one of the lab.

export interface ContainerdRuntimeParts {
  readonly node: NodePlace
  /** The machine's, outside of every node. */
  readonly kernel: Kernel
  readonly clock: Clock
}

/** What containerd starts, if there is no other program of these names. */
const PLUGINS = ['bridge', 'host-local', 'loopback', 'portmap', 'dhcp', 'switchyard']
/** In front of a refusal. */
const METHOD = /^\/\S+: /
const PLUGIN_PROGRAM = fileURLToPath(new URL('./plugin-program.ts', import.meta.url))

export class ContainerdRuntime implements PodRuntime {
  readonly version: string
  readonly #parts: ContainerdRuntimeParts
  readonly #containerd: Containerd
  readonly #client: ContainersClient
  readonly #network: PodNetwork
  readonly #image: string
  /** How many sandboxes of a pod there have been, by its uid. */
  readonly #attempts = new Map<string, number>()
  readonly #leaving = new AbortController()

  private constructor(
    parts: ContainerdRuntimeParts,
    containerd: Containerd,
    { version, image }: Record<'version' | 'image', string>,
  ) {
    const { node, clock } = parts
    this.#parts = parts
    this.version = `containerd://${version}`
    this.#containerd = containerd
    this.#client = new ContainersClient(containerd.client, { cgroup: `/${node.namespace}`, logFolder: logFolder(node) })
    this.#network = new PodNetwork(node, daemonPlugins(node, clock))
    this.#image = image
  }

  static async start(parts: ContainerdRuntimeParts): Promise<ContainerdRuntime> {
    const { node, kernel } = parts
    const { stdout } = await must(kernel, anyCommand(['containerd', '--version']))
    const version = /(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? stdout.trim()
    placePlugins(node)
    const image = podImage()
    const containerd = await Containerd.start({
      ...{ folder: containerdFolder(node), binDir: `${node.folder}/bin`, confDir: networkFolder(node) },
      ...{ within: argv => onNode(node, argv), seen: path => path, sandboxImage: sandboxImage() },
    })
    if (!(await containerd.client.hasImage(image.name))) await containerd.importImage(image)
    return new ContainerdRuntime(parts, containerd, { version, image: image.name })
  }

  networkProblem(): Promise<string | undefined> {
    return this.#network.problem()
  }

  async makeSandbox(pod: Pod): Promise<Sandbox> {
    const { node } = this.#parts
    const { uid = '', namespace = 'default', name = '' } = pod.metadata
    try {
      const id = await this.#newSandbox(pod)
      const ofNode = [node.ip4, ...(node.ip6 === undefined ? [] : [node.ip6])]
      const ips = pod.spec?.hostNetwork ? ofNode : await this.#client.ipsOf(id)
      return {
        id,
        uid,
        namespace,
        name,
        ips: ips.toSorted((a, b) => Number(a.includes(':')) - Number(b.includes(':'))),
      }
    } catch (error) {
      if (error instanceof CallRefused) throw new SandboxRefused(error.message.replace(METHOD, ''), { cause: error })
      throw error
    }
  }

  /** What runs in them ends, so that all of them begin again in the same way. */
  async standing(): Promise<readonly Sandbox[]> {
    const all = await this.#client.sandboxes()
    return Promise.all(
      all.map(async ({ isReady: _isReady, ...sandbox }) => {
        for (const id of await this.#client.containersOf(sandbox.id)) await this.#removeContainer(id)
        return { ...sandbox, ips: await this.#client.ipsOf(sandbox.id) }
      }),
    )
  }

  async start(start: ContainerStart): Promise<ContainerRun> {
    const { node, clock } = this.#parts
    const { signal } = this.#leaving
    const asked = start.container.image ?? ''
    const image = asked !== '' && (await this.#containerd.client.hasImage(asked)) ? asked : this.#image
    const socket = `${containerdFolder(node)}/containerd.sock`
    return runContainer(start, { client: this.#client, image, socket, logFolder: logFolder(node), clock, signal })
  }

  async removeSandbox({ id, uid }: Sandbox): Promise<void> {
    for (const container of await this.#client.containersOf(id)) await this.#removeContainer(container)
    await this.#client.removeSandbox(id)
    this.#attempts.delete(uid)
  }

  async close(): Promise<void> {
    this.#leaving.abort()
    // Those that were refused half way, too.
    for (const { id } of await this.#client.sandboxes().catch(() => []))
      await this.#client.removeSandbox(id).catch(() => {})
    await this.#containerd.end('SIGTERM')
    removeCgroup(this.#parts.node.namespace)
  }

  /** What a try before this one has left goes first: containerd keeps a sandbox whose network it could not take down. */
  async #newSandbox(pod: Pod): Promise<string> {
    const { uid = '' } = pod.metadata
    const attempt = this.#attempts.get(uid) ?? 0
    this.#attempts.set(uid, attempt + 1)
    if (attempt > 0) {
      const left = (await this.#client.sandboxes()).filter(sandbox => sandbox.uid === uid)
      for (const { id } of left) await this.#client.removeSandbox(id)
    }
    return this.#client.runSandbox(pod, attempt)
  }

  async #removeContainer(id: string): Promise<void> {
    await this.#client.stopContainer(id, 0)
    await this.#client.removeContainer(id)
  }
}

function containerdFolder({ folder }: NodePlace): string {
  return join(folder, 'lib/containerd')
}

function logFolder({ folder }: NodePlace): string {
  return join(folder, 'log/pods')
}

/** In its network, and among the mounts of the machine, where namespaces of pods are seen by all. It ends with the lab. */
function onNode({ namespace }: NodePlace, argv: readonly string[]): Command['argv'] {
  return ['setpriv', '--pdeathsig', 'KILL', '--', 'nsenter', `--net=${namespacePath(namespace)}`, '--', ...argv]
}

function placePlugins(node: NodePlace): void {
  const bin = `${node.folder}/bin`
  mkdirSync(bin, { recursive: true })
  for (const name of PLUGINS) {
    const path = join(bin, name)
    if (existsSync(path)) continue
    const words = [process.execPath, PLUGIN_PROGRAM, daemonSocket(node), name].map(word => `'${word}'`).join(' ')
    writeFileSync(path, `#!/bin/sh\n# a CNI plugin of Switchyard, in the lab\nexec ${words}\n`)
    chmodSync(path, 0o755)
  }
}
