import type { Failure } from './messages.ts'

// A socket's events → one thing at a time for whoever waits: a line, or why there is none.

export type News = { readonly line: string } | { readonly failure: Failure }

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
  #news: News[] = []
  #wake: () => void = () => {}
  #end: News | Error | undefined

  put(news: News): void {
    this.#news.push(news)
    this.#wake()
  }

  /** Nothing comes after this; what ended it first is what is told, as often as somebody asks. */
  end(why: News | Error): void {
    this.#end ??= why
    this.#wake()
  }

  /** What came before the question cannot be its answer. */
  clear(): void {
    this.#news = []
  }

  /** The next news; at the deadline 'timeout', which ends nothing. */
  async next(deadline: number): Promise<News> {
    if (this.#news.length === 0 && this.#end === undefined) await this.#wait(deadline - performance.now())
    const news = this.#news.shift() ?? this.#end ?? { failure: 'timeout' }
    if (news instanceof Error) throw news
    return news
  }

  async #wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, Math.max(0, ms))
    this.#wake = resolve
    await promise
    clearTimeout(timer)
  }
}

/** An error that is not of the network (an address that is not here, a port in use) stays an error: the asker's. */
export function failureNews(error: Error): News | Error {
  const failure = FAILURES[(error as NodeJS.ErrnoException).code ?? '']
  return failure === undefined ? error : { failure }
}
