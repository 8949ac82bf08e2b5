import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ApiServer, type ApiTls, startApiServer } from '#lab/api-server/server.ts'
import type { ServiceRangeFlags } from '#lab/api-server/services/service-ranges.ts'
import type { PodStreamsOf } from '#lab/api-server/streams/pod-streams.ts'
import { type Authority, newAuthority } from '#lab/api-server/tls/authority.ts'
import { kubeconfigText } from '#lab/api-server/tls/kubeconfig.ts'
import { type ApiForward, forwardApi } from './api-forward.ts'
import { ownClusterIP, publish } from './own-service.ts'
import { serverPort } from './server-port.ts'

// The API server of a cluster, as programs on this machine and on the nodes reach it: addresses, certificates, kubeconfigs.

export interface ControlPlaneOptions {
  /** Of the kubeconfig files. */
  readonly folder: string
  /** The namespace and its addresses at which nodes find the API server. */
  readonly namespace: string
  readonly addresses: readonly string[]
  readonly port: number
  readonly services: ServiceRangeFlags
  /** Keeps the objects of the cluster. */
  readonly database?: string
  readonly pods: PodStreamsOf
  /** How long pods stay on a node that is lost; without it 10 s: in a real cluster 300, longer than a person watches. */
  readonly tolerationSeconds?: number
}

/** Under which nodes, pods and this machine know it. */
const NAMES = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']
const LOOPBACK = '127.0.0.1'

export class ControlPlane {
  /** For a person, and for programs on this machine. */
  readonly kubeconfig: string
  /** For a person on a node, or beyond the cluster. */
  readonly linkKubeconfig: string
  /** For programs on nodes. */
  readonly nodeKubeconfig: string
  readonly #options: ControlPlaneOptions
  readonly #tls: ApiTls
  #api: ApiServer
  #forward: ApiForward | undefined

  private constructor(options: ControlPlaneOptions, api: ApiServer, { authority, tls }: Trust) {
    this.#options = options
    this.#api = api
    this.#tls = tls
    const { folder, addresses, port } = options
    const onLink = `https://${ipv4Of(addresses)}:${port}`
    this.kubeconfig = join(folder, 'kubeconfig')
    this.linkKubeconfig = join(folder, 'link.kubeconfig')
    this.nodeKubeconfig = join(folder, 'node.kubeconfig')
    const admin = { authority, name: 'admin', group: 'system:masters' }
    writeKubeconfig(this.kubeconfig, { server: api.url, ...admin })
    writeKubeconfig(this.linkKubeconfig, { server: onLink, ...admin })
    writeKubeconfig(this.nodeKubeconfig, { server: onLink, authority, name: 'system:node', group: 'system:nodes' })
  }

  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const trust = trustOf(options)
    const api = await startApiServer({ ...serverOptions(options, trust.tls), port: await serverPort(LOOPBACK) })
    const controlPlane = new ControlPlane(options, api, trust)
    try {
      await controlPlane.#open()
    } catch (error) {
      await controlPlane.close()
      throw error
    }
    return controlPlane
  }

  get api(): ApiServer {
    return this.#api
  }

  /** As a process that ends, and after `while` has happened begins again, on the same port with the same objects. */
  async restart(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    const { port, store } = this.#api
    this.#api.dropConnections()
    await this.#api.close()
    await meanwhile()
    const kept = this.#options.database === undefined ? { store } : {}
    this.#api = await startApiServer({ ...serverOptions(this.#options, this.#tls), ...kept, port })
  }

  async close(): Promise<void> {
    await this.#forward?.close()
    await this.#api.close()
  }

  async #open(): Promise<void> {
    const { namespace, port, addresses, services } = this.#options
    this.#forward = await forwardApi({ namespace, port, to: () => this.#api.port })
    publish(this.#api.store, services, { address: ipv4Of(addresses), port })
  }
}

interface Trust {
  readonly authority: Authority
  readonly tls: ApiTls
}

function ipv4Of(addresses: readonly string[]): string {
  return addresses.find(address => !address.includes(':'))!
}

function trustOf({ addresses, services }: ControlPlaneOptions): Trust {
  const authority = newAuthority(Date.now())
  const hosts = [LOOPBACK, ...addresses, ownClusterIP(services), ...NAMES]
  const server = authority.issue({ commonName: 'kube-apiserver', hosts })
  return { authority, tls: { ...server, ca: authority.cert, requestCert: true } }
}

function serverOptions({ services, database, pods, tolerationSeconds = 10 }: ControlPlaneOptions, tls: ApiTls) {
  return {
    tls,
    services,
    random: Math.random,
    pods,
    tolerationSeconds,
    controllers: 'running' as const,
    ...(database !== undefined && { database }),
  }
}

interface Access {
  readonly server: string
  readonly authority: Authority
  readonly name: string
  readonly group: string
}

function writeKubeconfig(path: string, { server, authority, name, group }: Access): void {
  const user = { name, ...authority.issue({ commonName: name, organizations: [group] }) }
  writeFileSync(path, kubeconfigText({ server, ca: authority.cert, user }), { mode: 0o600 })
}
