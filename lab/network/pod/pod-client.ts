import { fileURLToPath } from 'node:url'
import { within } from '#lab/network/namespaces.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import type { ConnectOutcome, Reply, Request } from './messages.ts'

// Requests → the program inside a namespace → its replies.

const POD_PROGRAM = fileURLToPath(new URL('./pod.ts', import.meta.url))

interface Waiting {
  resolve(outcomes: readonly ConnectOutcome[]): void
  reject(error: Error): void
}

export class PodClient {
  readonly #namespace: string
  readonly #child: Child
  readonly #waiting = new Map<number, Waiting>()
  #asked = 0

  constructor(namespace: string) {
    this.#namespace = namespace
    this.#child = startChild({
      argv: within(namespace, [process.execPath, POD_PROGRAM]),
      onLine: line => this.#hear(JSON.parse(line) as Reply),
    })
    void this.#child.ended.then(({ code, stderr }) => this.#giveUp(`ended with ${code}: ${stderr.trim()}`))
  }

  /** Throws where the request itself was wrong, or where the program has ended; what the network says is an outcome. */
  ask(request: Request): Promise<readonly ConnectOutcome[]> {
    const id = ++this.#asked
    const { promise, resolve, reject } = Promise.withResolvers<readonly ConnectOutcome[]>()
    this.#waiting.set(id, { resolve, reject })
    this.#child.writeLine(JSON.stringify({ id, request }))
    return promise
  }

  async stop(): Promise<void> {
    await this.#child.stop()
  }

  #hear(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if ('problem' in reply) waiting?.reject(new Error(`${this.#namespace}: ${reply.problem}`))
    else waiting?.resolve(reply.outcomes)
  }

  #giveUp(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(`the program in ${this.#namespace} ${why}`))
    this.#waiting.clear()
  }
}
