import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '#system/clock.ts'
import { builtOnce } from './built-once.ts'
import { type RunningShim, type ShimCall, type ShimOutcome, startShim } from './shim.ts'

// A node of its own: mount and network namespaces in which the daemon runs as it is shipped, with the helper where a runtime
// finds plugins, /run and /var/lib empty, and pods that are network namespaces.

const WORLD = [
  'set -e',
  'mount --make-rprivate /',
  'mount -t tmpfs tmpfs /run',
  // Seen from outside, too.
  'mount --bind "$1" /var/lib',
  'mkdir -p /run/netns /run/cni',
  'ip link set lo up',
  'echo ready',
  // Ends with the test, whatever becomes of that.
  'exec cat',
].join('\n')

const METRICS_PORT = 10_245
/** A daemon ends with the test, also where that is killed. */
const WITH_US = ['setpriv', '--pdeathsig', 'KILL']

/** The bundle, and the helper; a test file has its own. */
export class Installation {
  readonly folder = mkdtempSync(join(tmpdir(), 'pods-'))
  readonly dist = join(this.folder, 'dist')
  /** What CNI_PATH names. */
  readonly bin = join(this.folder, 'bin')

  constructor() {
    cpSync(builtOnce(), this.dist, { recursive: true })
    for (const name of ['bridge', 'host-local', 'loopback', 'switchyard'])
      cpSync(join(this.dist, 'cni-shim'), join(this.bin, name))
  }

  get program(): string {
    return join(this.dist, 'switchyard.js')
  }

  /** The program that works without a daemon. */
  addFallback(): void {
    const folder = join(this.bin, '.switchyard')
    mkdirSync(folder)
    symlinkSync(process.execPath, join(folder, 'node'))
    symlinkSync(join(this.dist, 'cni.js'), join(folder, 'cni.js'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n')
  }

  removeFallback(): void {
    rmSync(join(this.bin, '.switchyard'), { recursive: true, force: true })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true })
  }
}

export interface RunningDaemon {
  readonly pid: number
  readonly lines: string[]
  readonly ended: Promise<number | null>
  kill(signal: NodeJS.Signals): void
  isAlive(): boolean
}

export interface PodCall extends Pick<ShimCall, 'env'> {
  readonly command: string
  readonly container?: string
  readonly netns?: string
  readonly config: object
}

export class PodsNode {
  /** Of the daemons that are started from now on. */
  flags: readonly string[] = []
  readonly #installation: Installation
  readonly #world: ChildProcess
  readonly #state: string
  readonly #daemons: RunningDaemon[] = []

  private constructor(installation: Installation, world: ChildProcess, state: string) {
    this.#installation = installation
    this.#world = world
    this.#state = state
  }

  static async start(installation: Installation): Promise<PodsNode> {
    const state = mkdtempSync(join(installation.folder, 'state-'))
    const words = ['--mount', '--net', 'sh', '-c', WORLD, 'sh', state]
    const world = spawn('unshare', words, { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(world.stdout!, 'data')
    return new PodsNode(installation, world, state)
  }

  /** Of a process that is in its namespaces for as long as they are there. */
  get pid(): number {
    return this.#world.pid!
  }

  /** A path in the mount namespace of the node, as seen from here. */
  path(path: string): string {
    return `/proc/${this.#world.pid}/root${path}`
  }

  within(argv: readonly string[]): readonly [string, ...string[]] {
    return ['nsenter', `--target=${this.#world.pid}`, '--mount', '--net', '--', ...argv]
  }

  run(...argv: readonly string[]): string {
    return this.runWith('', argv)
  }

  runWith(input: string, argv: readonly string[]): string {
    const [program, ...words] = this.within(argv)
    const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', input })
    if (status !== 0) throw new Error(`${argv.join(' ')} exited with ${status}: ${stderr}${stdout}`)
    return stdout
  }

  succeeds(...argv: readonly string[]): boolean {
    const [program, ...words] = this.within(argv)
    return spawnSync(program, words).status === 0
  }

  /** A pod: a network namespace, and its path. */
  pod(name: string): string {
    this.run('ip', 'netns', 'add', name)
    return `/run/netns/${name}`
  }

  /** Resolves when it serves. */
  async startDaemon(...before: readonly string[]): Promise<RunningDaemon> {
    // Where pods reach it, too.
    const program = [
      process.execPath,
      this.#installation.program,
      'pods',
      `--pods-metrics-bind-address=0.0.0.0:${METRICS_PORT}`,
      ...this.flags,
    ]
    const [enter, ...words] = this.within([...WITH_US, ...before, ...program])
    const child = spawn(enter, words, { stdio: ['ignore', 'ignore', 'pipe'] })
    const lines: string[] = []
    const ended = new Promise<number | null>(resolve => child.once('close', code => resolve(code)))
    createInterface({ input: child.stderr }).on('line', line => lines.push(line))
    const daemon = {
      pid: child.pid!,
      lines,
      ended,
      kill: (signal: NodeJS.Signals) => child.kill(signal),
      isAlive: () => child.exitCode === null && child.signalCode === null,
    }
    this.#daemons.push(daemon)
    const deadline = systemClock.now() + 60_000
    while (!lines.some(line => line.includes('Serving CNI calls'))) {
      if (child.exitCode !== null) await ended
      if (child.exitCode !== null || systemClock.now() > deadline) throw new Error(`no daemon:\n${lines.join('\n')}`)
      await systemClock.sleep(10)
    }
    return daemon
  }

  start(plugin: string, { command, container, netns, config, env }: PodCall): RunningShim {
    const variables = {
      CNI_COMMAND: command,
      CNI_PATH: this.#installation.bin,
      ...(container !== undefined && { CNI_CONTAINERID: container, CNI_IFNAME: 'eth0' }),
      ...(netns !== undefined && { CNI_NETNS: netns }),
      PATH: process.env.PATH!,
      ...env,
    }
    const [enter, ...words] = this.within([join(this.#installation.bin, plugin)])
    return startShim(enter, { env: variables, stdin: JSON.stringify(config), words })
  }

  call(plugin: string, call: PodCall): Promise<ShimOutcome> {
    return this.start(plugin, call).ended
  }

  /** As if the database had another past. */
  change(...statements: readonly string[]): void {
    const database = new DatabaseSync(join(this.#state, 'switchyard/ipam.db'), { timeout: 60_000 })
    try {
      for (const statement of statements) database.exec(statement)
    } finally {
      database.close()
    }
  }

  /** Time goes on, for what is written down. */
  age(ms: number): void {
    this.change(
      `UPDATE lease SET at = at - ${ms}`,
      `UPDATE sighting SET at = at - ${ms}, since = since - ${ms}, last = last - ${ms}`,
    )
  }

  /** `switchyard ipam …`, as an operator types it. */
  ipam(...words: readonly string[]): { readonly status: number | null; readonly stdout: string } {
    const [enter, ...argv] = this.within([process.execPath, this.#installation.program, 'ipam', ...words])
    const { status, stdout, stderr } = spawnSync(enter, argv, { encoding: 'utf8' })
    if (stderr !== '') throw new Error(stderr)
    return { status, stdout }
  }

  /** Addresses that are held, of our ranges or by a row of `dhcp`, as `NETWORK CONTAINER`, sorted. */
  held(rows = "lease WHERE state = 'assigned'"): readonly string[] {
    const path = join(this.#state, 'switchyard/ipam.db')
    if (!existsSync(path)) return []
    const database = new DatabaseSync(path, { readOnly: true, timeout: 60_000 })
    try {
      const found = database.prepare(`SELECT network, container FROM ${rows}`).all()
      return found.map(({ network, container }) => `${network} ${container}`).sort()
    } finally {
      database.close()
    }
  }

  /** What the daemon's /healthz says to a pod, over the gateway of its bridge. Its port may be opened after its socket. */
  healthzFrom(pod: string, gateway: string): string {
    const ask = `until exec 3<>/dev/tcp/${gateway}/${METRICS_PORT}; do sleep 0.1; done; printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`
    return this.run('ip', 'netns', 'exec', pod, 'timeout', '30', 'bash', '-c', ask)
  }

  /** Names of the links of the node. */
  links(): readonly string[] {
    return this.run('ip', '-o', 'link', 'show').match(/(?<=^\d+: )[^:@]+/gm) ?? []
  }

  async stopDaemons(): Promise<void> {
    const daemons = this.#daemons.splice(0)
    for (const daemon of daemons) daemon.kill('SIGKILL')
    await Promise.all(daemons.map(({ ended }) => ended))
  }

  async stop(): Promise<void> {
    await this.stopDaemons()
    this.#world.stdin!.end()
    if (this.#world.exitCode === null) await once(this.#world, 'close')
  }
}
