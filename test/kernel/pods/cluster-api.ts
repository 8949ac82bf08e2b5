import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import type { PodsNode } from './pods-node.ts'

// The lab's API server for several nodes, each in namespaces of its own: a socket in a folder that all of them see, and in each
// a program that listens on its loopback and speaks to that socket.

const PORT = 6443
const RELAY = `
const net = require('node:net')
net.createServer(client => {
  const server = net.connect(process.argv[1])
  for (const [one, other] of [[client, server], [server, client]]) one.pipe(other).on('error', () => {}) && one.on('error', () => other.destroy()).on('close', () => other.destroy())
}).listen(${PORT}, '127.0.0.1', () => console.log('ready'))
`

export class ClusterApi {
  readonly server: ApiServer
  readonly #folder: string
  readonly #listener: Server
  readonly #sockets = new Set<Socket>()
  readonly #relays: Child[] = []
  #isAway = false

  private constructor(server: ApiServer, folder: string) {
    this.server = server
    this.#folder = folder
    this.#listener = createServer(client => {
      if (this.#isAway) {
        client.destroy()
        return
      }
      const upstream = connect(server.port, '127.0.0.1')
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(one)
        one
          .on('error', () => {})
          .on('close', () => {
            this.#sockets.delete(one)
            other.destroy()
          })
        one.pipe(other)
      }
    })
  }

  static async start(): Promise<ClusterApi> {
    const api = new ClusterApi(await startApiServer({}), mkdtempSync(join(tmpdir(), 'cluster-api-')))
    api.#listener.listen(api.#socket)
    await once(api.#listener, 'listening')
    return api
  }

  /** The flag for what runs in the node's namespaces. */
  async reachableFrom(node: PodsNode): Promise<string> {
    const lines: string[] = []
    const argv = node.within([process.execPath, '-e', RELAY, this.#socket])
    const relay = startChild({ argv, onLine: line => lines.push(line) })
    this.#relays.push(relay)
    while (!lines.includes('ready')) await new Promise(resolve => setTimeout(resolve, 10))
    return `--master=http://127.0.0.1:${PORT}`
  }

  /** No node can reach it, and what was open is closed. */
  goAway(): void {
    this.#isAway = true
    for (const socket of this.#sockets) socket.destroy()
  }

  comeBack(): void {
    this.#isAway = false
  }

  putNode(name: string, uid: string, ...podCIDRs: readonly string[]): void {
    const spec = podCIDRs.length === 0 ? {} : { podCIDR: podCIDRs[0], podCIDRs }
    this.server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name, uid }, spec, status: {} })
  }

  removeNode(name: string): void {
    if (!this.server.store.remove('Node', undefined, name)) throw new Error(`there is no Node ${name}`)
  }

  async close(): Promise<void> {
    for (const relay of this.#relays) await relay.stop()
    this.goAway()
    this.#listener.close()
    await this.server.close()
    rmSync(this.#folder, { recursive: true })
  }

  get #socket(): string {
    return join(this.#folder, 'api.sock')
  }
}
