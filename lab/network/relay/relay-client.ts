import { fileURLToPath } from 'node:url'
import type { Listener, OpenListener } from '#dialects/relay.ts'
import { within } from '#lab/network/namespaces.ts'
import type { Listeners } from '#proxy/relay/listeners.ts'
import type { RelayOptions } from '#proxy/relay/relay.ts'
import type { RelayEvent } from '#proxy/relay/relay-events.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import type { Family } from '#values/address.ts'
import type { RelayProgramOptions, RelayRequest, RelaySaid } from './relay-program.ts'

// The relay of a node that is a namespace: the same Listeners, carried out by a program inside.

const PROGRAM = fileURLToPath(new URL('./relay-program.ts', import.meta.url))

type RelayClientOptions = Pick<RelayOptions, 'portRange' | 'udpIdleMs' | 'report' | 'lost'>

interface Waiting {
  resolve(closed: readonly OpenListener[]): void
  reject(error: Error): void
}

export class RelayClient implements Listeners {
  readonly #child: Child
  readonly #options: RelayClientOptions
  readonly #waiting = new Map<number, Waiting>()
  #open: RelaySaid['open'] = { ipv4: [], ipv6: [] }
  #asked = 0

  constructor(namespace: string, options: RelayClientOptions) {
    const { portRange = 'any', udpIdleMs } = options
    this.#options = options
    this.#child = startChild({
      argv: within(namespace, [
        process.execPath,
        PROGRAM,
        JSON.stringify({ portRange, udpIdleMs } satisfies RelayProgramOptions),
      ]),
      onLine: line => this.#hear(JSON.parse(line) as RelaySaid),
    })
    void this.#child.ended.then(({ code, stderr }) => this.#giveUp(`the relay ended with ${code}: ${stderr.trim()}`))
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  list(family: Family): readonly OpenListener[] {
    return this.#open[family]
  }

  async open(family: Family, wanted: readonly Listener[]): Promise<void> {
    await this.#ask({ do: 'open', family, wanted })
  }

  close(family: Family, names: readonly string[]): Promise<readonly OpenListener[]> {
    return this.#ask({ do: 'close', family, names })
  }

  async stop(): Promise<void> {
    await this.#child.stop()
  }

  #ask(request: RelayRequest): Promise<readonly OpenListener[]> {
    const id = ++this.#asked
    const { promise, resolve, reject } = Promise.withResolvers<readonly OpenListener[]>()
    this.#waiting.set(id, { resolve, reject })
    this.#child.writeLine(JSON.stringify({ id, request }))
    return promise
  }

  #hear({ open, say }: RelaySaid): void {
    this.#open = open
    if (say.what === 'lost') this.#options.lost()
    else if (say.what === 'event') this.#options.report(eventOf(say))
    else {
      const waiting = this.#waiting.get(say.id)
      this.#waiting.delete(say.id)
      if (say.what === 'failed') waiting?.reject(new Error(say.why))
      else waiting?.resolve(say.closed)
    }
  }

  #giveUp(why: string): void {
    this.#open = { ipv4: [], ipv6: [] }
    for (const { reject } of this.#waiting.values()) reject(new Error(why))
    this.#waiting.clear()
  }
}

/** JSON carries only the message of an error. */
function eventOf({ event, error }: Extract<RelaySaid['say'], { what: 'event' }>): RelayEvent {
  return event.what === 'crashed' ? { ...event, error: new Error(error) } : event
}
