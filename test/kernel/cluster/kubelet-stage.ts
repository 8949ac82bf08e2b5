import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import { openClient } from '#lab/client/http-client.ts'
import type { ApiObject, Pod, PodSpec } from '#lab/client/objects.ts'
import { nodeAddresses } from '#lab/cluster/link.ts'
import { openLink, plugNode } from '#lab/cluster/network.ts'
import { ClusterNode } from '#lab/cluster/node/cluster-node.ts'
import { makeFolders, nodeFolders } from '#lab/cluster/node/folders.ts'
import { NodeWorld } from '#lab/cluster/node/world.ts'
import { startKubelet } from '#lab/kubelet/kubelet.ts'
import type { Kubelet, KubeletParts } from '#lab/kubelet/kubelet-parts.ts'
import { labName, removeLab } from '#lab/network/namespaces.ts'
import { systemClock } from '#system/clock.ts'
import { readText } from '#system/files.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import { type HostKernel, hostKernel } from '#system/processes/kernel.ts'
import type { Family } from '#values/address.ts'
import { clusterProgram } from './cluster-program.ts'

// One node of the lab with the daemon of the pod network as it is shipped, an API server, and a kubelet between them.

const KUBELET_PROGRAM = fileURLToPath(new URL('./kubelet-program.ts', import.meta.url))

/** With addresses of both families, and host ports. In a version that Debian's containerd knows. */
const NETWORK = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      ...{ type: 'bridge', bridge: 'cni0', isGateway: true, hairpinMode: true },
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: '10.244.1.0/24' }], [{ subnet: 'fd00:244:1::/64' }]],
        routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
}

export type PodOptions = Pick<PodSpec, 'containers'> & Partial<PodSpec>

interface PodEventObject extends ApiObject {
  readonly involvedObject: { readonly name: string }
  readonly reason: string
  readonly message: string
}

export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export class KubeletStage {
  readonly kernel: HostKernel = hostKernel()
  readonly name = labName(process.pid)
  readonly folder = mkdtempSync(join(tmpdir(), 'kubelet-'))
  readonly warnings: string[] = []
  #api: ApiServer | undefined
  #client: ClusterClient | undefined
  #node: ClusterNode | undefined
  #world: NodeWorld | undefined
  #kubelet: Kubelet | undefined
  #families: readonly Family[] = []

  async open(): Promise<void> {
    const { kernel, name, folder } = this
    const dist = clusterProgram()
    this.#families = await openLink(kernel, `${name}-outside`)
    const namespace = `${name}-node-1`
    await plugNode(kernel, { number: 1, namespace, outside: `${name}-outside`, families: this.#families })
    const folders = nodeFolders(join(folder, 'node-1'))
    makeFolders(folders)
    this.#world = await NodeWorld.open(namespace, folders)
    const { ip4, ip6 } = nodeAddresses(1)
    const parts = { number: 1, name: 'node-1', namespace, kernel, world: this.#world, folders, dist, ip4 }
    this.#node = new ClusterNode({ ...parts, ...(this.#families.includes('ipv6') && { ip6 }) })
    writeFileSync(join(folders.netD, '10-pods.conflist'), JSON.stringify(NETWORK))
    this.startDaemon()
    this.#api = await startApiServer({ controllers: 'running', random: Math.random, pods: () => this.#kubelet })
    this.#client = await this.newClient()
  }

  get api(): ApiServer {
    return this.#api!
  }

  get client(): ClusterClient {
    return this.#client!
  }

  get node(): ClusterNode {
    return this.#node!
  }

  get kubelet(): Kubelet {
    return this.#kubelet!
  }

  newClient(): Promise<ClusterClient> {
    const { kernel, api } = this
    return openClient({ master: api.url, env: {}, files: { readText }, kernel, clock: systemClock })
  }

  startDaemon(): void {
    this.node.start('pods', [])
  }

  /** Resolves when it can start pods. */
  async startKubelet(runtime: KubeletParts['runtime'] = 'namespaces'): Promise<Kubelet> {
    const { client, node, warnings } = this
    const warn = (line: string): void => void warnings.push(line)
    this.#kubelet = startKubelet({ client, node, runtime, clock: systemClock, warn })
    await this.#kubelet.ready
    return this.#kubelet
  }

  async closeKubelet(): Promise<void> {
    await this.#kubelet?.close()
    this.#kubelet = undefined
  }

  /** As a process of its own. Resolves when it can start pods. */
  async startKubeletProgram(): Promise<Child> {
    const { name, namespace, ip4, ip6, folder } = this.node
    const ready = Promise.withResolvers<string>()
    const place = JSON.stringify({ name, namespace, ip4, ip6, folder })
    const child = startChild({ argv: [process.execPath, KUBELET_PROGRAM, this.api.url, place], onLine: ready.resolve })
    await Promise.race([ready.promise, child.ended.then(({ stderr }) => Promise.reject(new Error(stderr)))])
    return child
  }

  async create(name: string, { containers, initContainers, ...spec }: PodOptions): Promise<void> {
    const image = 'none'
    const whole = {
      ...{ nodeName: 'node-1', terminationGracePeriodSeconds: 3, ...spec },
      containers: containers.map(container => ({ image, ...container })),
      ...(initContainers && { initContainers: initContainers.map(container => ({ image, ...container })) }),
    }
    const metadata = { name, namespace: 'default' }
    await this.client.create<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata, spec: whole })
  }

  /** Undefined where the API has forgotten it. */
  pod(name: string): Promise<Pod | undefined> {
    return this.client.get<Pod>('Pod', { namespace: 'default', name })
  }

  async readyPod(name: string): Promise<Pod> {
    await expect.poll(() => this.conditionOf(name, 'Ready'), SLOWLY).toBe('True')
    return (await this.pod(name))!
  }

  async conditionOf(name: string, type: string): Promise<string | undefined> {
    return (await this.pod(name))?.status?.conditions?.find(condition => condition.type === type)?.status
  }

  async delete(name: string): Promise<void> {
    await this.client.delete('Pod', { namespace: 'default', name })
    await expect.poll(() => this.pod(name), SLOWLY).toBeUndefined()
  }

  /** Without grace: its clients are not waited for. */
  async remove(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.client.delete('Pod', { namespace: 'default', name }, { gracePeriodSeconds: 0 })
  }

  /** On the node; what answers does so long before it is given up. */
  ask(...argv: readonly string[]): Promise<Said> {
    return this.run('ip', 'netns', 'exec', this.node.namespace, 'timeout', '20', ...argv)
  }

  /** By HTTP, on the node. */
  asked(url: string): Promise<Said> {
    return this.ask('curl', '-s', url)
  }

  async endOf(name: string) {
    return (await this.pod(name))?.status?.containerStatuses?.[0]?.state?.terminated
  }

  /** Reason and message of each. */
  async events(name: string): Promise<readonly string[]> {
    const all = await this.client.list<PodEventObject>('Event', { namespace: 'default' })
    const own = all.filter(({ involvedObject }) => involvedObject.name === name)
    return own.map(({ reason, message }) => `${reason} ${message}`)
  }

  async logOf(name: string, query = ''): Promise<string> {
    return (await fetch(`${this.api.url}/api/v1/namespaces/default/pods/${name}/log?${query}`)).text()
  }

  run(program: string, ...words: readonly string[]): Promise<Said> {
    return new Promise(resolve => {
      execFile(program, words, { encoding: 'utf8' }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr })
      })
    })
  }

  /** Addresses that pods hold: `10.244.1.2 default/web`. */
  async held(): Promise<readonly string[]> {
    const [program, ...words] = this.#world!.within(this.node.switchyard('ipam', 'ls'))
    const { stdout } = await this.run(program, ...words)
    return [...stdout.matchAll(/^(\S+) +ASSIGNED +(\S+)/gm)].map(([, ip, pod]) => `${ip} ${pod}`).sort()
  }

  /** Network namespaces of its pods. */
  async namespaces(): Promise<readonly string[]> {
    const { stdout } = await this.run('ip', 'netns', 'list')
    const names = stdout.split('\n').map(line => line.split(' ')[0]!)
    return names.filter(name => name.startsWith(`${this.node.namespace}-`)).sort()
  }

  async close(): Promise<void> {
    await this.#kubelet?.close()
    await this.#client?.close()
    await this.#api?.close()
    await this.#node?.close()
    await this.#world?.close()
    await removeLab(this.kernel, this.name)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** On a machine that has other work. */
export const SLOWLY = { timeout: 60_000, interval: 50 } as const
