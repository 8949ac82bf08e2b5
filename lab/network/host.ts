import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { inNamespace, ipLines } from './namespaces.ts'
import type { ConnectOutcome, Dial, Failure, Transport } from './pod/messages.ts'
import { PodClient } from './pod/pod-client.ts'
import { type Addresses, extraAddressLine } from './topology.ts'

// A namespace of the lab with its addresses: it listens, and it connects to others.

/** Where to connect to: over TCP and with the lab's patience unless named otherwise; by default the kernel chooses the source. */
export type ConnectOptions = Omit<Dial, 'protocol' | 'timeoutMs'> & Partial<Pick<Dial, 'protocol' | 'timeoutMs'>>

export interface HostOptions extends Addresses {
  /** The name its listeners answer with, where they have no name of their own. */
  readonly name: string
  readonly namespace: string
  readonly families: readonly Family[]
  /** How long it waits for an answer, where a call does not say. */
  readonly patienceMs?: number
}

export interface ListenOptions {
  readonly name?: string
  readonly addresses?: readonly string[]
}

export interface Listening {
  /** Stops listening, and ends open connections. */
  close(): Promise<void>
}

export interface Stream {
  /** Sends a line over the open connection and waits for its answer. */
  send(text: string, timeoutMs?: number): Promise<ConnectOutcome>
  close(): Promise<void>
}

export type Opened =
  | { readonly ok: true; readonly stream: Stream }
  | { readonly ok: false; readonly error: Failure; readonly elapsedMs: number }

/**
 * Longer than a rejection takes to reach an IPv6 client: "port unreachable" arrives here while
 * connect() still holds the socket, is put aside (TcpExt LockDroppedIcmps), and counts when the SYN is repeated after 1 s.
 */
const PATIENCE_MS = 2000

export class Host {
  readonly name: string
  readonly namespace: string
  readonly ip4: string
  readonly ip6: string
  /** Its own addresses, in the families this kernel has. */
  readonly addresses: readonly string[]
  /** Commands run here act inside this host's namespace. */
  readonly kernel: Kernel
  readonly #patienceMs: number
  /** Started when first needed: many hosts never listen or connect. */
  #client: PodClient | undefined
  #handles = 0

  constructor(kernel: Kernel, { name, namespace, ip4, ip6, families, patienceMs = PATIENCE_MS }: HostOptions) {
    this.name = name
    this.namespace = namespace
    this.ip4 = ip4
    this.ip6 = ip6
    this.addresses = families.map(family => (family === 'ipv4' ? ip4 : ip6))
    this.kernel = inNamespace(kernel, namespace)
    this.#patienceMs = patienceMs
  }

  /** Answers on each of this host's own addresses, or of those named. */
  async listen(
    protocol: Transport,
    port: number,
    { name = this.name, addresses = this.addresses }: ListenOptions = {},
  ): Promise<Listening> {
    const closers = await Promise.all(
      addresses.map(async address => {
        const handle = ++this.#handles
        await this.#ask({ do: 'listen', handle, listener: { protocol, address, port, name } })
        return () => this.#ask({ do: 'close', handle })
      }),
    )
    return { close: async () => void (await Promise.all(closers.map(close => close()))) }
  }

  /** Connects, asks the listener's name, and hangs up. Refused, unreachable and timed out are outcomes. */
  async connect(options: ConnectOptions): Promise<ConnectOutcome> {
    const [outcome] = await this.connectMany(1, options)
    return outcome!
  }

  /** One after the other. */
  connectMany(times: number, options: ConnectOptions): Promise<readonly ConnectOutcome[]> {
    return this.#ask({ do: 'connect', dial: this.#dial(options), times })
  }

  /** A connection that stays. */
  async open(options: ConnectOptions): Promise<Opened> {
    const handle = ++this.#handles
    const [refusal] = await this.#ask({ do: 'open', handle, dial: this.#dial(options) })
    if (refusal?.ok === false) return refusal
    const send = async (text: string, timeoutMs = this.#patienceMs) =>
      (await this.#ask({ do: 'ask', handle, text, timeoutMs }))[0]!
    return { ok: true, stream: { send, close: async () => void (await this.#ask({ do: 'close', handle })) } }
  }

  /** One more address of this host, for endpoints without a namespace of their own and for node addresses. */
  async addAddress(address: string): Promise<void> {
    await must(this.kernel, ipLines([extraAddressLine(address)]))
  }

  async addRoute(cidr: string, via: string): Promise<void> {
    await must(this.kernel, ipLines([`route replace ${cidr} via ${via}`]))
  }

  /** Ends the program that listens and connects here; the namespace stays. */
  async stop(): Promise<void> {
    await this.#client?.stop()
    this.#client = undefined
  }

  #dial(options: ConnectOptions): Dial {
    return { protocol: 'tcp', timeoutMs: this.#patienceMs, ...options }
  }

  #ask(request: Parameters<PodClient['ask']>[0]): Promise<readonly ConnectOutcome[]> {
    this.#client ??= new PodClient(this.namespace)
    return this.#client.ask(request)
  }
}

/** How often each listener answered and each failure happened. */
export function tally(outcomes: readonly ConnectOutcome[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const outcome of outcomes) {
    const key = outcome.ok ? outcome.answer.name : outcome.error
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}
