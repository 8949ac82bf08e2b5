import type { Socket } from 'node:net'
import type { Endpoint } from '#proxy/relay/messages.ts'
import type { Chooser } from '#proxy/relay/worker/chooser.ts'

// A client → a connection to an endpoint that answers. Every endpoint is asked before a client is sent away, each with its own
// patience, and nobody else waits meanwhile.

/** kube-proxy's: how long the first, second, … endpoint may take to answer. */
const PATIENCE_MS = [250, 500, 1000, 2000]
/** Where all refuse at once, news of other endpoints may be on its way: pods go before we hear that they are gone. */
const NEWS_MS = 250

/** Whoever knocks has given up by then, however many endpoints have not been asked. */
const LONGEST_MS = 60_000

/** `refused`: it was quick to say no. `silent`: it said nothing in time. `ours`: no connection could be tried from here. */
export type Failure = 'refused' | 'silent' | 'ours'

export interface Reaching {
  readonly chooser: Chooser
  readonly client: string
  readonly connect: (endpoint: Endpoint, patienceMs: number) => Promise<Socket | Failure>
}

/** Undefined where nobody could be reached. */
export async function dial({ chooser, client, connect }: Reaching): Promise<Socket | undefined> {
  const attempts = new Attempts()
  for (;;) {
    const endpoint = chooser.choose(client, attempts.tried)
    if (endpoint === undefined) {
      if (!attempts.mayGoRound()) return undefined
      if (!attempts.metSilence) await chooser.changed(NEWS_MS)
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

  failed({ text }: Endpoint, failure: Failure): void {
    if (failure === 'silent') {
      this.metSilence = true
      this.silentMs += this.patienceMs
    }
    this.#count++
    this.tried.add(text)
  }

  /** As many attempts as kube-proxy makes, if those that stay silent are so few; those that refuse are asked twice. */
  mayGoRound(): boolean {
    this.#rounds++
    return this.#count < PATIENCE_MS.length && (this.#rounds === 1 || this.metSilence)
  }

  goRound(): void {
    this.tried.clear()
    this.metSilence = false
  }
}
