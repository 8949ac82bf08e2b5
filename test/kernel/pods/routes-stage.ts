import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '#system/clock.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import { Installation, PodsNode, type RunningDaemon } from './pods-node.ts'

// Nodes with the daemon as it is shipped, on one link with an API server and a host outside of the cluster. Node N has
// 192.0.2.N and 2001:db8::N; its pods have 10.244.N.0/24 and fd00:244:N::/64. The host outside knows no way to pods.

const API_PROGRAM = fileURLToPath(new URL('./routes-api-program.ts', import.meta.url))
export const OUTSIDE = { ipv4: '192.0.2.254', ipv6: '2001:db8::fe' } as const
const API_PORT = 6443
const MASTER = `--master=http://${OUTSIDE.ipv4}:${API_PORT}`

const LINK = [
  'ip link set lo up',
  'ip link add br0 type bridge mcast_snooping 0',
  `ip address add ${OUTSIDE.ipv4}/24 dev br0`,
  `ip address add ${OUTSIDE.ipv6}/64 dev br0 nodad`,
  'ip link set br0 up',
]

export interface ClusterNode {
  readonly number: number
  readonly name: string
  readonly node: PodsNode
  daemon: RunningDaemon
}

export interface ClusterPod {
  readonly on: ClusterNode
  readonly name: string
  readonly ip4: string
  readonly ip6: string
}

export type Ends = 'ip4' | 'ip6'

interface Asking {
  readonly within: readonly string[]
  readonly address: string
  readonly port: number
  readonly seconds: number
}

/** A machine that is busy may need some for a connection. */
const PATIENT_S = 10

/** Says to each client which address it has seen of it. */
const LISTENER = `require('net').createServer(s => s.end(s.remoteAddress.replace('::ffff:', '') + '\\n')).listen(+process.argv[1], '::', () => console.log('ready'))`

export class ClusterStage {
  readonly installation = new Installation()
  readonly nodes: ClusterNode[] = []
  readonly outside: PodsNode
  readonly #api: Child
  /** What the API server has said. */
  readonly #lines: readonly string[]
  readonly #programs: ChildProcess[] = []
  #pods = 0

  private constructor(parts: {
    readonly outside: PodsNode
    readonly api: Child
    readonly lines: readonly string[]
    readonly installation: Installation
  }) {
    this.outside = parts.outside
    this.#api = parts.api
    this.#lines = parts.lines
    this.installation = parts.installation
  }

  static async open(): Promise<ClusterStage> {
    const installation = new Installation()
    const outside = await PodsNode.start(installation)
    for (const line of LINK) outside.run('sh', '-c', line)
    const ready = Promise.withResolvers<void>()
    const lines: string[] = []
    const argv = outside.within([process.execPath, API_PROGRAM, OUTSIDE.ipv4, String(API_PORT)])
    const onLine = (line: string): void => {
      lines.push(line)
      ready.resolve()
    }
    const api = startChild({ argv: argv as [string, ...string[]], onLine })
    await Promise.race([
      ready.promise,
      api.ended.then(({ stderr }) => {
        throw new Error(stderr)
      }),
    ])
    const stage = new ClusterStage({ outside, api, lines, installation })
    await stage.#serve(outside, [], 80)
    return stage
  }

  /** With its Node object, and its daemon running. */
  async addNode(number: number, ...flags: readonly string[]): Promise<ClusterNode> {
    return this.#begun(await this.#linked(number), flags)
  }

  /** By commands alone: its daemon has no FFI. */
  async addNodeWithoutFfi(number: number): Promise<ClusterNode> {
    return this.#begun(await this.#linked(number), [], ['env', 'NODE_OPTIONS=--no-experimental-ffi'])
  }

  async #linked(number: number): Promise<Omit<ClusterNode, 'daemon'>> {
    const node = await PodsNode.start(this.installation)
    const name = `node-${number}`
    this.outside.run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(node.pid))
    this.outside.run('ip', 'link', 'set', name, 'master', 'br0', 'up')
    for (const line of [
      `ip address add 192.0.2.${number}/24 dev eth0`,
      `ip address add 2001:db8::${number}/64 dev eth0 nodad`,
      'ip link set eth0 up',
      `ip route add default via ${OUTSIDE.ipv4}`,
      `ip route add default via ${OUTSIDE.ipv6}`,
    ])
      node.run('sh', '-c', line)
    return { number, name, node }
  }

  async #begun(
    { number, name, node }: Omit<ClusterNode, 'daemon'>,
    flags: readonly string[],
    before: readonly string[] = [],
  ): Promise<ClusterNode> {
    this.putNode(number)
    node.flags = [MASTER, `--hostname-override=${name}`, '--ranges-from=node', ...flags]
    const added = { number, name, node, daemon: await node.startDaemon(...before) }
    this.nodes.push(added)
    return added
  }

  putNode(number: number, more: { readonly uid?: string; readonly addresses?: readonly string[] } = {}): void {
    const { uid = `uid-${number}`, addresses = [`192.0.2.${number}`, `2001:db8::${number}`] } = more
    const podCIDRs = [`10.244.${number}.0/24`, `fd00:244:${number}::/64`]
    this.put({
      ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: `node-${number}`, uid } },
      spec: { podCIDR: podCIDRs[0], podCIDRs },
      status: { addresses: addresses.map(address => ({ type: 'InternalIP', address })) },
    })
  }

  put(object: object): void {
    this.#api.writeLine(JSON.stringify({ put: object }))
  }

  removeNode(number: number): void {
    this.#api.writeLine(JSON.stringify({ remove: { kind: 'Node', name: `node-${number}` } }))
  }

  /** The API server cannot be reached, or again. */
  async setAway(isAway: boolean): Promise<void> {
    const { length } = this.#lines
    this.#api.writeLine(JSON.stringify({ away: isAway }))
    while (this.#lines.length === length) await systemClock.sleep(10)
  }

  /** Attached through the daemon, with addresses of the node's ranges; it listens on port 80. */
  async addPod(on: ClusterNode, more: object = {}): Promise<ClusterPod> {
    const name = `pod${++this.#pods}`
    const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }]
    const config = {
      ...{ cniVersion: '1.0.0', name: 'pods', type: 'switchyard', bridge: 'cni0', isGateway: true },
      ...{ hairpinMode: true, ipam: { type: 'switchyard', routes }, ...more },
    }
    const netns = on.node.pod(name)
    // In a ring, a node that asks for addresses waits until another has looked.
    const deadline = Date.now() + 60_000
    for (;;) {
      const { stdout } = await on.node.call('switchyard', { command: 'ADD', container: name, netns, config })
      const { ips, msg } = JSON.parse(stdout) as { ips?: readonly { address: string }[]; msg?: string }
      if (ips !== undefined) {
        const [ip4, ip6] = ips.map(({ address }) => address.split('/')[0]!)
        await this.#serve(on.node, ['ip', 'netns', 'exec', name], 80)
        return { on, name, ip4: ip4!, ip6: ip6! }
      }
      if (Date.now() > deadline) throw new Error(`no pod: ${msg}`)
      await systemClock.sleep(100)
    }
  }

  /** The address that the listener has seen of the pod; empty where none answered. */
  seenOf({ on, name }: ClusterPod, address: string, port = 80): string {
    return this.#asks(on.node, { within: ['ip', 'netns', 'exec', name], address, port, seconds: PATIENT_S })
  }

  /** The same of the node itself. */
  seenOfNode({ node }: ClusterNode, address: string, port = 80): string {
    return this.#asks(node, { within: [], address, port, seconds: PATIENT_S })
  }

  /** Where none is to answer: a pod that can talk does so at once. */
  isCutOff({ on, name }: ClusterPod, address: string): boolean {
    const within = ['ip', 'netns', 'exec', name]
    return this.#asks(on.node, { within, address, port: 80, seconds: 2 }) === ''
  }

  /** `switchyard run` on the node. */
  async startProxy({ node, name }: ClusterNode, ...flags: readonly string[]): Promise<void> {
    const program = join(this.installation.dist, 'switchyard.js')
    const words = [process.execPath, program, 'run', MASTER, `--hostname-override=${name}`, ...flags]
    const [enter, ...argv] = node.within(['setpriv', '--pdeathsig', 'KILL', ...words])
    this.#programs.push(spawn(enter, argv, { stdio: 'ignore' }))
  }

  /** As an operator types it on the node. */
  switchyard({ node }: ClusterNode, ...words: readonly string[]): string {
    return node.run(process.execPath, join(this.installation.dist, 'switchyard.js'), ...words)
  }

  /** What `ip route` shows of ours, of both families. */
  routesOf({ node }: ClusterNode): readonly string[] {
    const lines = ['-4', '-6'].flatMap(family => node.run('ip', family, 'route', 'show', 'proto', '115').split('\n'))
    return lines.map(line => line.trim()).filter(line => line !== '')
  }

  async end(): Promise<void> {
    for (const program of this.#programs) program.kill('SIGKILL')
    for (const { node } of this.nodes) await node.stop()
    await this.#api.stop()
    await this.outside.stop()
    this.installation.remove()
  }

  #asks(node: PodsNode, { within, address, port, seconds }: Asking): string {
    const ask = `exec 3<>/dev/tcp/${address}/${port} && cat <&3`
    try {
      return node.run(...within, 'timeout', String(seconds), 'bash', '-c', ask).trim()
    } catch {
      return ''
    }
  }

  async #serve(node: PodsNode, within: readonly string[], port: number): Promise<void> {
    const program = [process.execPath, '-e', LISTENER, String(port)]
    const [enter, ...argv] = node.within([...within, 'setpriv', '--pdeathsig', 'KILL', ...program])
    const child = spawn(enter, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#programs.push(child)
    await once(child.stdout, 'data')
  }
}
