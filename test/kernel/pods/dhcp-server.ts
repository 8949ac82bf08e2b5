import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { systemClock } from '#system/clock.ts'
import type { PodsNode } from './pods-node.ts'

// A dnsmasq that gives 10.77.0.10 to 10.77.0.99, on `eth0` of a namespace of its own: what it holds, and what it was asked.

export const SERVER_ADDRESS = '10.77.0.1'

export interface DhcpServerParts {
  /** A command line → one that runs in the server's namespace. */
  readonly within: (argv: readonly string[]) => readonly string[]
  /** The file it keeps its leases in, as the server and as this process sees it. */
  readonly leaseFile: { readonly there: string; readonly here: string }
  readonly options?: readonly string[]
}

/** What the server knows of a client. */
export interface ServedLease {
  readonly address: string
  /** `*` where it said none. */
  readonly hostName: string
  readonly clientId: string
}

export class DhcpServer {
  readonly #process: ChildProcess
  readonly #file: string
  #said = ''

  private constructor(process: ChildProcess, file: string) {
    this.#process = process
    this.#file = file
    process.stderr!.on('data', (text: Buffer) => {
      this.#said += text
    })
  }

  /** Resolves when it serves. A second one of the same file knows what the first has given. */
  static async start({ within, leaseFile, options = [] }: DhcpServerParts): Promise<DhcpServer> {
    const [program, ...words] = within([
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--port=0', '--no-ping', '--log-dhcp'],
      ...['--log-facility=-', '--interface=eth0', '--bind-interfaces', '--dhcp-authoritative', '--user=root'],
      ...['--pid-file=', `--dhcp-leasefile=${leaseFile.there}`, '--dhcp-range=10.77.0.10,10.77.0.99,255.255.255.0,600'],
      ...options,
    ])
    const child = spawn(program!, words, { stdio: ['ignore', 'ignore', 'pipe'] })
    const server = new DhcpServer(child, leaseFile.here)
    await server.heard(/IP range|started/)
    return server
  }

  get said(): string {
    return this.#said
  }

  /** What it has said so far is of no interest any longer. */
  forgetSaid(): void {
    this.#said = ''
  }

  /** How often it has said it. */
  count(pattern: RegExp): number {
    return [...this.#said.matchAll(new RegExp(pattern, 'g'))].length
  }

  /** Waits until it has said it. */
  async heard(pattern: RegExp): Promise<string> {
    const deadline = systemClock.now() + 20_000
    for (;;) {
      const found = pattern.exec(this.#said)
      if (found !== null) return found[0]
      if (systemClock.now() > deadline) throw new Error(`the server did not say ${pattern}: ${this.#said}`)
      await systemClock.sleep(10)
    }
  }

  /** `EXPIRY HARDWARE ADDRESS NAME CLIENT-ID`, a line each. For a moment none: the server empties its file before it writes it anew. */
  leases(): readonly ServedLease[] {
    const text = existsSync(this.#file) ? readFileSync(this.#file, 'utf8') : ''
    return text.split('\n').flatMap(line => {
      const [, , address, hostName, clientId] = line.split(' ')
      return address === undefined ? [] : [{ address, hostName: hostName!, clientId: clientId! }]
    })
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
  }
}

const BRIDGE = [
  'set -e',
  'ip netns add server',
  'ip link add cni0 type bridge',
  'ip link add server type veth peer name eth0 netns server',
  'ip link set server master cni0 up',
  'ip link set cni0 up',
  `ip -n server address add ${SERVER_ADDRESS}/24 dev eth0`,
  'ip -n server link set eth0 up',
].join('\n')

/** Makes the bridge `cni0` of a node, and a server below it. */
export function servingDhcp(node: PodsNode, ...options: readonly string[]): Promise<DhcpServer> {
  node.run('sh', '-c', BRIDGE)
  return DhcpServer.start(serverOn(node, options))
}

/** The same once more, where the first has ended. */
export function serverOn(node: PodsNode, options: readonly string[] = []): DhcpServerParts {
  const file = '/var/lib/dnsmasq.leases'
  return {
    within: argv => node.within(['ip', 'netns', 'exec', 'server', ...argv]),
    leaseFile: { there: file, here: node.path(file) },
    options,
  }
}
