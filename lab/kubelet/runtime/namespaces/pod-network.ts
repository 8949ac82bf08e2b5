import { isJsonObject } from '#cni/protocol/json.ts'
import type { JsonObject } from '#cni/protocol/request.ts'
import type { RuntimeAttachment } from '#cni/runner/attachment.ts'
import {
  listOfOne,
  type NetworkList,
  parseConfiguration,
  parseNetworkList,
  parsePlugin,
} from '#cni/runner/network-list.ts'
import type { StartPlugin } from '#cni/runner/plugin-starter.ts'
import { type KeptAttachment, ResultCache } from '#cni/runner/result-cache.ts'
import { Runner, sentence } from '#cni/runner/runner.ts'
import type { Pod } from '#lab/client/objects.ts'
import { plainFiles } from '#system/plain-files.ts'
import { type NodePlace, networkFolder } from '../../node-place.ts'
import { SandboxRefused } from '../pod-runtime.ts'

// A pod and its network namespace → the addresses that the node's network gave it, and back: by our runner, as a container
// runtime does it.

const IFNAME = 'eth0'

export interface AttachedPod {
  readonly container: string
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly netns: string
  readonly ips: readonly string[]
}

export class PodNetwork {
  readonly #node: NodePlace
  readonly #runner: Runner
  readonly #cache: ResultCache

  constructor(node: NodePlace, start: StartPlugin) {
    this.#node = node
    this.#cache = new ResultCache(plainFiles, `${node.folder}/lib/cni`)
    this.#runner = new Runner(start, this.#cache)
  }

  /** Why no pod can be attached. A network since CNI 1.1.0 says so itself. */
  async problem(): Promise<string | undefined> {
    try {
      await this.#runner.status(await firstNetwork(networkFolder(this.#node)))
      return undefined
    } catch (error) {
      return sentence(error as Error)
    }
  }

  /** Nothing stays where it rejects, with SandboxRefused. */
  async attach(pod: Pod, container: string, netns: string): Promise<readonly string[]> {
    try {
      const network = await firstNetwork(networkFolder(this.#node))
      return addressesIn(await this.#runner.add(network, attachmentOf(pod, container, netns)))
    } catch (error) {
      throw new SandboxRefused(sentence(error as Error), { cause: error })
    }
  }

  /** By the configuration it was attached with. */
  async detach(container: string, netns: string): Promise<void> {
    const kept = (await this.#kept()).find(it => it.container === container)
    if (kept !== undefined) await this.#runner.del(parseConfiguration(kept.config), { ...kept, netns })
  }

  /** All pods of this node that have an address, also those of a kubelet before this one. */
  async attached(): Promise<readonly AttachedPod[]> {
    return (await this.#kept()).map(podOf)
  }

  /** Of every network. */
  async #kept(): Promise<readonly KeptAttachment[]> {
    const names = (await plainFiles.list(`${this.#node.folder}/lib/cni/results`)) ?? []
    const networks = new Set(names.map(name => name.replace(/-[0-9a-f]{32}-eth0$/, '')))
    const each = [...networks].map(network => this.#cache.attachments(network))
    return (await Promise.all(each)).flat().filter(({ ifname }) => ifname === IFNAME)
  }
}

/** As containerd chooses: the first file by its name, of those that are configurations. */
async function firstNetwork(folder: string): Promise<NetworkList> {
  const names = ((await plainFiles.list(folder)) ?? []).filter(name => /\.(conflist|conf|json)$/.test(name))
  const problems: string[] = []
  for (const name of names) {
    const path = `${folder}/${name}`
    try {
      const text = await plainFiles.read(path)
      if (text !== undefined) return name.endsWith('.conflist') ? parseNetworkList(text) : listOfOne(parsePlugin(text))
    } catch (error) {
      problems.push(`${path}: ${(error as Error).message}`)
    }
  }
  throw new Error([`network is not ready: no network configuration in ${folder}`, ...problems].join('; '))
}

function attachmentOf({ metadata, spec }: Pod, container: string, netns: string): RuntimeAttachment {
  const ports = (spec?.containers ?? []).flatMap(({ ports = [] }) => ports).filter(({ hostPort }) => hostPort)
  const portMappings = ports.map(({ hostPort, containerPort, protocol = 'TCP', hostIP }) => ({
    ...{ hostPort, containerPort, protocol: protocol.toLowerCase() },
    ...(hostIP && { hostIP }),
  }))
  return {
    ...{ container, ifname: IFNAME, netns },
    args: [
      ['IgnoreUnknown', '1'],
      ['K8S_POD_NAMESPACE', metadata.namespace ?? 'default'],
      ['K8S_POD_NAME', metadata.name ?? ''],
      ['K8S_POD_INFRA_CONTAINER_ID', container],
      ['K8S_POD_UID', metadata.uid ?? ''],
    ],
    capabilities: portMappings.length === 0 ? {} : { portMappings },
  }
}

/** IPv4 first, as a Service of two families has its cluster IPs in the lab. */
function addressesIn({ ips }: JsonObject): readonly string[] {
  const all = Array.isArray(ips) ? ips : []
  const texts = all.flatMap(ip => (isJsonObject(ip) && typeof ip.address === 'string' ? ip.address.split('/')[0]! : []))
  return texts.toSorted((a, b) => Number(a.includes(':')) - Number(b.includes(':')))
}

function podOf({ container, netns, args, result }: KeptAttachment): AttachedPod {
  const arg = (key: string) => args.find(([name]) => name === key)?.[1] ?? ''
  const ips = (result?.ips ?? []).map(({ address }) => address as string)
  return {
    ...{ container, netns, ips },
    ...{ uid: arg('K8S_POD_UID'), namespace: arg('K8S_POD_NAMESPACE'), name: arg('K8S_POD_NAME') },
  }
}
