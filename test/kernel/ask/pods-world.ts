import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import type { NodeDifference } from '#verify/difference.ts'
import type { PodsQuestion } from './pods-program.ts'

// A node in namespaces of its own, one program in it that is asked again and again, and two other nodes on its link.

const PROGRAM = fileURLToPath(new URL('./pods-program.ts', import.meta.url))

const NODES = `apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Node, metadata: {name: one}, spec: {podCIDRs: [10.244.1.0/24]}, status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}}
- {apiVersion: v1, kind: Node, metadata: {name: two}, spec: {podCIDRs: [10.244.2.0/24, 'fd00:244:2::/64']}, status: {addresses: [{type: InternalIP, address: 192.0.2.2}, {type: InternalIP, address: '2001:db8::2'}]}}
- {apiVersion: v1, kind: Node, metadata: {name: three}, spec: {podCIDRs: [10.244.3.0/24]}, status: {addresses: [{type: InternalIP, address: 192.0.2.3}]}}
`

const WORLD = [
  'set -e',
  'mount --make-rprivate /',
  'mount -t tmpfs tmpfs /run',
  'mount --bind "$1" /var/lib',
  'mkdir -p /run/netns',
  'ip link set lo up',
  'ip link add eth0 type veth peer name wire',
  'ip link add eth1 type veth peer name wire1',
  'ip address add 192.0.2.1/24 dev eth0',
  'ip address add 2001:db8::1/64 dev eth0 nodad',
  'for link in wire wire1 eth0 eth1; do ip link set $link up; done',
  'ip link add other0 type bridge',
  'ip route add default via 192.0.2.254',
  'echo ready',
  // Ends with the test, whatever becomes of that.
  'exec cat',
].join('\n')

export interface Looked {
  readonly differences: readonly NodeDifference[]
  readonly failures: readonly string[]
}

export class PodsWorld {
  readonly #folder: string
  readonly #world: ChildProcess
  readonly #program: ChildProcess
  readonly #answers: AsyncIterator<string>
  readonly #lines: Interface

  readonly #state: string

  private constructor(folder: string, state: string, world: ChildProcess) {
    this.#folder = folder
    this.#state = state
    this.#world = world
    const nodes = join(folder, 'nodes.yaml')
    writeFileSync(nodes, NODES)
    const [enter, ...words] = this.#within([process.execPath, '--disable-warning=ExperimentalWarning', PROGRAM, nodes])
    this.#program = spawn(enter, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#program.stdout! })
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  static async open(): Promise<PodsWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'asked-'))
    const state = mkdtempSync(join(folder, 'state-'))
    const words = ['--mount', '--net', 'sh', '-c', WORLD, 'sh', state]
    const world = spawn('unshare', words, { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(world.stdout!, 'data')
    const opened = new PodsWorld(folder, state, world)
    // `ready`, once routes stand.
    await opened.#answer()
    return opened
  }

  /** In the words of a shell. */
  run(words: string): string {
    const [enter, ...argv] = this.#within(['sh', '-c', words])
    return execFileSync(enter, argv, { encoding: 'utf8' })
  }

  async ask(question: PodsQuestion): Promise<unknown> {
    this.#program.stdin!.write(`${JSON.stringify(question)}\n`)
    const answer = await this.#answer()
    const { failed } = (answer ?? {}) as { readonly failed?: string }
    if (failed !== undefined) throw new Error(failed)
    return answer
  }

  async verify(): Promise<Looked> {
    return (await this.ask({ do: 'verify' })) as Looked
  }

  /** Time goes on, for what is written down. */
  minutes(count: number): void {
    const ms = count * 60_000
    this.#change(
      `UPDATE lease SET at = at - ${ms}`,
      `UPDATE sighting SET at = at - ${ms}, since = since - ${ms}, last = last - ${ms}`,
    )
  }

  async close(): Promise<void> {
    this.#lines.close()
    this.#program.stdin!.end()
    if (this.#program.exitCode === null) await once(this.#program, 'close')
    this.#world.stdin!.end()
    if (this.#world.exitCode === null) await once(this.#world, 'close')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #change(...statements: readonly string[]): void {
    const database = new DatabaseSync(join(this.#state, 'switchyard/ipam.db'), { timeout: 5000 })
    try {
      for (const statement of statements) database.exec(statement)
    } finally {
      database.close()
    }
  }

  async #answer(): Promise<unknown> {
    const { value, done } = await this.#answers.next()
    if (done) throw new Error('the program in the node has ended')
    return JSON.parse(value as string)
  }

  #within(argv: readonly string[]): [string, ...string[]] {
    return ['nsenter', `--target=${this.#world.pid}`, '--mount', '--net', '--', ...argv]
  }
}
