import { type ChildProcess, spawn } from 'node:child_process'
import { Containerd } from '#lab/containerd/containerd.ts'
import { allProcesses, endProcessesBeside, removeCgroup, textOf } from '#lab/containerd/leftovers.ts'
import type { HostPort, RuntimeClient } from '#lab/containerd/runtime-client.ts'
import { systemClock } from '#system/clock.ts'
import { OUTSIDE } from '../outside.ts'
import { type Installation, PodsNode, type RunningDaemon } from '../pods-node.ts'

// A node of its own with containerd on it: its pods answer on port 80, and so does a host beyond the node.

export interface RuntimePod {
  readonly id: string
  readonly name: string
  readonly address: string
}

const FOLDER = '/run/runtime'
const CONF_DIR = '/run/net.d'

const ANSWERING = [
  OUTSIDE,
  'mkdir -p /run/www/cgi-bin',
  'cat > /run/www/cgi-bin/who',
  'chmod +x /run/www/cgi-bin/who',
].join('\n')
const ANSWER = '#!/bin/sh\nprintf "\\r\\noutside %s" "$REMOTE_ADDR"\n'

/** What a machine that starts again finds of its pods: files, if those are not in memory. */
const POWER_LOST = [
  'umount -l /run/netns/cni-* && rm /run/netns/cni-*',
  'ip link delete cni0',
  'rm -rf /run/runtime/state',
  'iptables -t nat -F && iptables -t nat -X',
].join('\n')

export class RuntimeNode {
  readonly node: PodsNode
  readonly #daemon: RunningDaemon | undefined
  readonly #bin: string
  readonly #cgroup = `switchyard-test-${process.pid}`
  #containerd: Containerd | undefined
  #outside: ChildProcess | undefined

  private constructor(node: PodsNode, { daemon, bin }: { readonly daemon?: RunningDaemon; readonly bin: string }) {
    this.node = node
    this.#daemon = daemon
    this.#bin = bin
  }

  /** With a daemon, and without a runtime as yet. */
  static async start(installation: Installation): Promise<RuntimeNode> {
    const node = await PodsNode.start(installation)
    node.run('mkdir', CONF_DIR)
    return new RuntimeNode(node, { daemon: await node.startDaemon(), bin: installation.bin })
  }

  /** With the plugins that are in a folder of the node, and without a daemon. */
  static async startWith(bin: string, installation: Installation): Promise<RuntimeNode> {
    const node = await PodsNode.start(installation)
    node.run('mkdir', CONF_DIR)
    return new RuntimeNode(node, { bin })
  }

  /** The first one. */
  get daemon(): RunningDaemon {
    return this.#daemon!
  }

  get client(): RuntimeClient {
    return this.#containerd!.client
  }

  /** The network of pods, from the next start of the runtime on. */
  configure(list: object, name = '10-pods.conflist'): void {
    this.node.runWith(JSON.stringify(list), ['tee', `${CONF_DIR}/${name}`])
  }

  async startRuntime(): Promise<void> {
    this.#containerd = await Containerd.start({
      ...{ folder: FOLDER, binDir: this.#bin, confDir: CONF_DIR },
      within: argv => this.node.within(argv),
      seen: path => this.node.path(path),
    })
  }

  /** At once, and with no word to it. */
  async killRuntime(): Promise<void> {
    await this.#containerd?.end('SIGKILL')
  }

  async run(name: string, ...hostPorts: readonly HostPort[]): Promise<RuntimePod> {
    const id = await this.client.run({ name, cgroup: `/${this.#cgroup}`, hostPorts })
    return { id, name, address: await this.client.addressOf(id) }
  }

  /** As a kubelet does it: stopped, then removed. */
  async end({ id }: Pick<RuntimePod, 'id'>): Promise<void> {
    await this.client.stop(id)
    await this.client.remove(id)
  }

  async addOutside(): Promise<void> {
    this.node.runWith(ANSWER, ['sh', '-c', ANSWERING])
    const words = ['nsenter', '--net=/run/netns/outside', '--', 'busybox', 'httpd', '-f', '-p', '0.0.0.0:80']
    const [enter, ...argv] = this.node.within([...words, '-h', '/run/www'])
    this.#outside = spawn(enter, argv, { stdio: 'ignore' })
    const deadline = systemClock.now() + 30_000
    while (!this.node.succeeds(...asking('203.0.113.9'))) {
      if (systemClock.now() > deadline) throw new Error('the host outside does not answer')
      await systemClock.sleep(20)
    }
  }

  /** What answers there, and the address it saw: `blue 10.244.0.3`. A pod that has just begun may not listen yet. */
  asked(from: RuntimePod | 'outside', to: string): string {
    const untilAnswered = `until ${asking(to).join(' ')}; do sleep 0.1; done`
    return this.node.run(...this.#from(from), 'timeout', '30', 'sh', '-c', untilAnswered)
  }

  /** At once. */
  isAnswered(from: RuntimePod | 'outside', to: string): boolean {
    return this.node.succeeds(...this.#from(from), ...asking(to))
  }

  /** Processes of plugins that a runtime has started: they go on where it is killed. */
  calls(): readonly string[] {
    return allProcesses().filter(pid => textOf(`/proc/${pid}/cmdline`).startsWith(`${this.#bin}/`))
  }

  /** Each of the runtime's namespaces with the addresses of pods in it. One that was killed as it made one leaves a file that is none. */
  namespaces(): readonly { readonly path: string; readonly addresses: readonly string[] }[] {
    const names = this.node.run('ls', '/run/netns').match(/^cni-.+$/gm) ?? []
    const entered = names.filter(name => this.node.succeeds('nsenter', `--net=/run/netns/${name}`, '--', 'true'))
    return entered.map(name => {
      const shown = this.node.run('ip', '-n', name, '-o', '-4', 'address')
      return { path: `/run/netns/${name}`, addresses: shown.match(/(?<=inet )10\.[\d.]+/g) ?? [] }
    })
  }

  /** What pods leave traces in: links, and rules that name an address of theirs. */
  state(): { readonly links: readonly string[]; readonly rules: readonly string[] } {
    const rules = this.node.run('iptables-save') + this.node.run('nft', 'list', 'ruleset')
    return { links: this.node.links(), rules: rules.match(/^.*10\.244\.0\.\d+\b.*$/gm) ?? [] }
  }

  /** Containers and namespaces are gone, files are there; the machine is yet to start again. */
  async losePower(): Promise<void> {
    await this.killRuntime()
    await this.node.stopDaemons()
    await this.#endProcesses()
    this.node.run('sh', '-c', POWER_LOST)
  }

  async stop(): Promise<void> {
    await this.killRuntime()
    this.#outside?.kill('SIGKILL')
    await this.node.stopDaemons()
    await this.#endProcesses()
    await this.node.stop()
    removeCgroup(this.#cgroup)
  }

  #endProcesses(): Promise<void> {
    return endProcessesBeside(this.node.pid)
  }

  #from(from: RuntimePod | 'outside'): readonly string[] {
    const netns = from === 'outside' ? '/run/netns/outside' : this.#namespaceOf(from)
    return ['nsenter', `--net=${netns}`, '--']
  }

  #namespaceOf({ address }: RuntimePod): string {
    const found = this.namespaces().find(({ addresses }) => addresses.includes(address))
    if (found === undefined) throw new Error(`no namespace has ${address}`)
    return found.path
  }
}

/** With a timeout of its own, some versions end by a fault. */
function asking(to: string): readonly string[] {
  return ['timeout', '5', 'busybox', 'wget', '-q', '-O', '-', `http://${to}/cgi-bin/who`]
}
