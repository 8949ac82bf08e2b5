import type { Failure } from './messages.ts'

// A socket's events → one item at a time for the caller that waits: a line, or why there is none.

export type InboxItem = { readonly line: string } | { readonly failure: Failure }

const FAILURES: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EACCES: 'unreachable',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  EPERM: 'forbidden',
}

export class Inbox {
  #items: InboxItem[] = []
  #wake: () => void = () => {}
  #end: InboxItem | Error | undefined

  put(item: InboxItem): void {
    this.#items.push(item)
    this.#wake()
  }

  /** No item comes after this one; the first end is what every later `next` returns or throws. */
  end(why: InboxItem | Error): void {
    this.#end ??= why
    this.#wake()
  }

  /** What came before the question cannot be its answer. */
  clear(): void {
    this.#items = []
  }

  /** The next item; at the deadline 'timeout', which ends nothing. */
  async next(deadline: number): Promise<InboxItem> {
    if (this.#items.length === 0 && this.#end === undefined) await this.#wait(deadline - performance.now())
    const item = this.#items.shift() ?? this.#end ?? { failure: 'timeout' }
    if (item instanceof Error) throw item
    return item
  }

  async #wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    // A loop that was busy finds the timer due before it looks at sockets: what is waited for may be there already.
    const timer = setTimeout(() => setImmediate(resolve), Math.max(0, ms))
    this.#wake = resolve
    await promise
    clearTimeout(timer)
  }
}

/** An error that does not come from the network (an address that is not here, a port in use) stays an error of the request. */
export function failureItem(error: Error): InboxItem | Error {
  const failure = FAILURES[(error as NodeJS.ErrnoException).code ?? '']
  return failure === undefined ? error : { failure }
}
