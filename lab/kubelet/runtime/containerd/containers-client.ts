import type { Pod } from '#lab/client/objects.ts'
import type { RuntimeClient } from '#lab/containerd/runtime-client.ts'
import type { WireFields, WireMessage } from '#lab/containerd/wire.ts'
import type { ContainerStart, RunEnd, Sandbox } from '../pod-runtime.ts'

// What a kubelet asks a container runtime about pods and containers, in the numbers of CRI's messages.

export interface PodPlaces {
  readonly cgroup: string
  readonly logFolder: string
}

const SERVICE = '/runtime.v1.RuntimeService'
const PROTOCOLS: Readonly<Record<string, number>> = { TCP: 0, UDP: 1, SCTP: 2 }
const OF_NODE = 2
const READY = 0
const EXITED = 2
const SIGKILL = 9

export class ContainersClient {
  readonly #client: RuntimeClient
  readonly #places: PodPlaces

  constructor(client: RuntimeClient, places: PodPlaces) {
    this.#client = client
    this.#places = places
  }

  /** Its id, once its network is up. One that was refused may keep its number. */
  async runSandbox(pod: Pod, attempt: number): Promise<string> {
    return (await this.#ask('RunPodSandbox', { 1: sandboxConfig(pod, this.#places, attempt) })).text(1)
  }

  async ipsOf(id: string): Promise<readonly string[]> {
    const network = (await this.#ask('PodSandboxStatus', { 1: id })).message(1).message(5)
    return [network.text(1), ...network.messages(2).map(more => more.text(1))].filter(ip => ip !== '')
  }

  async sandboxes(): Promise<readonly (Omit<Sandbox, 'ips'> & { readonly isReady: boolean })[]> {
    const answer = await this.#ask('ListPodSandbox', {})
    return answer.messages(1).map(one => {
      const metadata = one.message(2)
      const whose = { name: metadata.text(1), uid: metadata.text(2), namespace: metadata.text(3) }
      return { id: one.text(1), ...whose, isReady: one.number(3) === READY }
    })
  }

  async removeSandbox(id: string): Promise<void> {
    await this.#ask('StopPodSandbox', { 1: id })
    await this.#ask('RemovePodSandbox', { 1: id })
  }

  async createContainer(start: ContainerStart, image: string): Promise<string> {
    const { pod, sandbox } = start
    const fields = { 1: sandbox.id, 2: containerConfig(start, image), 3: sandboxConfig(pod, this.#places) }
    return (await this.#ask('CreateContainer', fields)).text(1)
  }

  async startContainer(id: string): Promise<void> {
    await this.#ask('StartContainer', { 1: id })
  }

  /** SIGTERM, and SIGKILL when the time is over; resolves when it has ended. */
  async stopContainer(id: string, seconds: number): Promise<void> {
    await this.#ask('StopContainer', { 1: id, 2: seconds })
  }

  async removeContainer(id: string): Promise<void> {
    await this.#ask('RemoveContainer', { 1: id })
  }

  async containersOf(sandbox: string): Promise<readonly string[]> {
    const answer = await this.#ask('ListContainers', { 1: { 3: sandbox } })
    return answer.messages(1).map(one => one.text(1))
  }

  /** Undefined while it runs. */
  async endOf(id: string): Promise<RunEnd | undefined> {
    const status = (await this.#ask('ContainerStatus', { 1: id })).message(1)
    if (status.number(3) !== EXITED) return undefined
    const exitCode = status.number(7)
    return { exitCode, ...(exitCode === 128 + SIGKILL && { signal: SIGKILL }) }
  }

  #ask(method: string, fields: WireFields): Promise<WireMessage> {
    return this.#client.call(`${SERVICE}/${method}`, fields)
  }
}

function sandboxConfig({ metadata, spec }: Pod, { cgroup, logFolder }: PodPlaces, attempt = 0): WireFields {
  const { name = '', uid = '', namespace = 'default' } = metadata
  const ports = (spec?.containers ?? []).flatMap(({ ports = [] }) => ports).filter(({ hostPort }) => hostPort)
  const sysctls = (spec?.securityContext?.sysctls ?? []).map(({ name: setting, value }) => ({ 1: setting, 2: value }))
  const network = spec?.hostNetwork ? { 2: { 1: { 1: OF_NODE } } } : {}
  return {
    1: { 1: name, 2: uid, 3: namespace, 4: attempt },
    ...(spec?.hostNetwork ? {} : { 2: name }),
    3: `${logFolder}/${uid}`,
    5: ports.map(({ protocol = 'TCP', containerPort, hostPort, hostIP = '' }) => ({
      ...{ 1: PROTOCOLS[protocol] ?? 0, 2: containerPort, 3: hostPort ?? 0, 4: hostIP },
    })),
    8: { 1: cgroup, ...network, 3: sysctls },
  }
}

/** Where its log is, below that of its pod. */
export function logPath({ container: { name }, attempt }: Pick<ContainerStart, 'container' | 'attempt'>): string {
  return `${name}_${attempt}.log`
}

function containerConfig(start: ContainerStart, image: string): WireFields {
  const { container, env, attempt } = start
  return {
    1: { 1: container.name, 2: attempt },
    2: { 1: image },
    3: container.command ?? [],
    4: container.args ?? [],
    5: container.workingDir ?? '',
    6: Object.entries(env).map(([name, value]) => ({ 1: name, 2: value })),
    11: logPath(start),
  }
}
