import type { Socket } from 'node:net'
import type { Endpoint } from '../../messages.ts'
import type { Chooser } from '../chooser.ts'

// A client → a connection to an endpoint that answers. Every endpoint is asked before a client is sent away, each with its own
// patience, and nobody else waits meanwhile.

/** kube-proxy's: how long the first, second, … endpoint may take to answer. */
const PATIENCE_MS = [250, 500, 1000, 2000]
/** Where all refuse at once, news of other endpoints may be on its way: pods go before we hear that they are gone. */
const NEWS_MS = 250

/** `refused`: it was quick to say no. `silent`: it said nothing in time. `ours`: no connection could be tried from here. */
export type Failure = 'refused' | 'silent' | 'ours'

export interface Reaching {
  readonly chooser: Chooser
  readonly client: string
  readonly connect: (endpoint: Endpoint, patienceMs: number) => Promise<Socket | Failure>
}

/** Undefined where nobody could be reached. */
export async function dial({ chooser, client, connect }: Reaching): Promise<Socket | undefined> {
  const tried = new Set<string>()
  let attempts = 0
  let rounds = 0
  let silence = false
  for (;;) {
    const endpoint = chooser.choose(client, tried)
    if (endpoint === undefined) {
      rounds++
      if (attempts >= PATIENCE_MS.length || (rounds > 1 && !silence)) return undefined
      if (!silence) await chooser.changed(NEWS_MS)
      tried.clear()
      silence = false
      continue
    }
    const found = await connect(endpoint, PATIENCE_MS[Math.min(attempts, PATIENCE_MS.length - 1)]!)
    attempts++
    if (typeof found !== 'string') {
      chooser.answered(client, endpoint)
      return found
    }
    if (found === 'ours') return undefined
    chooser.failed(endpoint)
    tried.add(endpoint.text)
    silence ||= found === 'silent'
  }
}
