import type { Dispatcher } from 'undici'

// Requests on their way through a pool of connections → a report on each: its status, how long it took, how many bytes.

/** Reported when an answer begins, or when there will be none. */
export interface AnsweredRequest {
  /** `10.96.0.1:443` */
  readonly host: string
  readonly method: string
  /** `<error>` where no answer came. */
  readonly code: string
}

/** Reported when an answer has ended, unless it is a watch. */
export interface FinishedRequest {
  readonly host: string
  readonly method: string
  readonly tookMs: number
  readonly sentBytes: number
  /** Before unpacking, where the answer is compressed. */
  readonly receivedBytes: number
}

export interface RequestObserver {
  /** Milliseconds of any clock. */
  readonly now: () => number
  readonly requested: (requested: AnsweredRequest) => void
  readonly finished: (finished: FinishedRequest) => void
}

export function observing({ requested, finished, now }: RequestObserver): Dispatcher.DispatcherComposeInterceptor {
  return dispatch => (options, handler) => {
    const { method, path, body } = options
    const host = hostOf(options.origin)
    const sentBytes = typeof body === 'string' ? Buffer.byteLength(body) : 0
    const ended = isWatch(path) ? () => {} : finished
    return dispatch(options, new Observed(handler, { host, method, sentBytes }, { requested, finished: ended, now }))
  }
}

type Handler = Dispatcher.DispatchHandler
type Controller = Dispatcher.DispatchController

/** The handler of the request, and beside it the reports to the observer. */
class Observed implements Handler {
  readonly #handler: Handler
  readonly #about: Pick<FinishedRequest, 'host' | 'method' | 'sentBytes'>
  readonly #observer: RequestObserver
  readonly #startedAt: number
  #receivedBytes = 0
  #isAnswered = false

  constructor(
    handler: Handler,
    about: Pick<FinishedRequest, 'host' | 'method' | 'sentBytes'>,
    observer: RequestObserver,
  ) {
    this.#handler = handler
    this.#about = about
    this.#observer = observer
    this.#startedAt = observer.now()
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context)
  }

  onResponseStart(...parts: Parameters<NonNullable<Handler['onResponseStart']>>): void {
    const [, status] = parts
    // An informational status (1xx) is not the answer.
    if (status >= 200) this.#answered(String(status))
    this.#handler.onResponseStart?.(...parts)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#receivedBytes += chunk.length
    this.#handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd(...parts: Parameters<NonNullable<Handler['onResponseEnd']>>): void {
    this.#end()
    this.#handler.onResponseEnd?.(...parts)
  }

  onResponseError(controller: Controller, error: Error): void {
    if (!this.#isAnswered) this.#answered('<error>')
    this.#end()
    this.#handler.onResponseError?.(controller, error)
  }

  #answered(code: string): void {
    this.#isAnswered = true
    const { host, method } = this.#about
    this.#observer.requested({ host, method, code })
  }

  #end(): void {
    const tookMs = this.#observer.now() - this.#startedAt
    this.#observer.finished({ ...this.#about, tookMs, receivedBytes: this.#receivedBytes })
  }
}

function hostOf(origin: string | URL | undefined): string {
  return origin === undefined ? '' : new URL(origin).host
}

/** How long a watch lasts says nothing about the API server. */
function isWatch(path: string): boolean {
  return /[?&]watch=(?:1|true)\b/.test(path)
}
