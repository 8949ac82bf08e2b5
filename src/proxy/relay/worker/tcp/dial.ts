import type { Socket } from 'node:net'
import type { PoolEndpoint } from '#proxy/relay/messages.ts'
import type { Chooser } from '#proxy/relay/worker/chooser.ts'

// A client → a connection to an endpoint that answers. Every endpoint is tried before a client is sent away, each with its
// own patience, and no other client waits meanwhile.

/** kube-proxy's: how long the first, second, … endpoint may take to answer. */
const PATIENCE_MS = [250, 500, 1000, 2000]
/** Where all refuse at once, an update of the pool may be on its way: pods go before the agent hears that they are gone. */
const UPDATE_MS = 250
/** A client has given up by then, however many endpoints have not been tried. */
const LONGEST_MS = 60_000

/** `refused`: the endpoint refused at once. `silent`: it did not answer in time. `ours`: this process could not try to connect. */
export type DialFailure = 'refused' | 'silent' | 'ours'

export interface DialOptions {
  readonly chooser: Chooser
  readonly client: string
  readonly connect: (endpoint: PoolEndpoint, patienceMs: number) => Promise<Socket | DialFailure>
}

/** Undefined where no endpoint could be reached. */
export async function dial({ chooser, client, connect }: DialOptions): Promise<Socket | undefined> {
  const attempts = new Attempts()
  for (;;) {
    const endpoint = chooser.choose(client, attempts.tried)
    if (endpoint === undefined) {
      if (!attempts.mayGoRound()) return undefined
      if (!attempts.metSilence) await chooser.changed(UPDATE_MS)
      attempts.goRound()
      continue
    }
    const found = await connect(endpoint, attempts.patienceMs)
    if (typeof found !== 'string') {
      chooser.answered(client, endpoint)
      return found
    }
    if (found === 'ours') return undefined
    chooser.failed(endpoint)
    attempts.failed(endpoint, found)
    if (attempts.silentMs >= LONGEST_MS) return undefined
  }
}

/** What has been tried for one client. */
class Attempts {
  /** In this round. */
  readonly tried = new Set<string>()
  metSilence = false
  /** In all rounds. */
  silentMs = 0
  #count = 0
  #rounds = 0

  get patienceMs(): number {
    return PATIENCE_MS[Math.min(this.#count, PATIENCE_MS.length - 1)]!
  }

  failed({ text }: PoolEndpoint, failure: DialFailure): void {
    if (failure === 'silent') {
      this.metSilence = true
      this.silentMs += this.patienceMs
    }
    this.#count++
    this.tried.add(text)
  }

  /** As many attempts as kube-proxy makes, if fewer endpoints than that stay silent; those that refuse are tried twice. */
  mayGoRound(): boolean {
    this.#rounds++
    return this.#count < PATIENCE_MS.length && (this.#rounds === 1 || this.metSilence)
  }

  goRound(): void {
    this.tried.clear()
    this.metSilence = false
  }
}
