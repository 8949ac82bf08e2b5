import { once } from 'node:events'
import { get, type IncomingMessage, request } from 'node:http'
import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'

// What the tests of the API server speak to it with: plain node:http, so that nothing is retried or decoded on the way.

export interface Answer {
  readonly code: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
}

export interface Question {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

export async function ask(url: string, { method = 'GET', headers = {}, body }: Question = {}): Promise<Answer> {
  const sent = body === undefined ? '' : JSON.stringify(body)
  // node:http frames the body of a DELETE only by a length that it is given.
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(sent) }
  const all = { 'content-type': 'application/json', ...length, ...headers }
  const asked = request(url, { method, agent: false, headers: all })
  asked.end(sent)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('latin1')
  const json = response.headers['content-encoding'] === undefined && text.startsWith('{')
  return { code: response.statusCode!, headers: response.headers, text, body: json ? JSON.parse(text) : undefined }
}

export interface WatchEvent {
  readonly type: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into events of every shape
  readonly object: any
}

/** An open watch, line by line. */
export class OpenWatch {
  readonly code: number
  readonly #lines: string[] = []
  readonly #response: IncomingMessage
  #partial = ''
  #wake: () => void = () => {}
  /** How the stream ended: `end`, or the code of the error that broke it. */
  ended: string | undefined

  private constructor(response: IncomingMessage) {
    this.#response = response
    this.code = response.statusCode!
    response.on('data', (chunk: Buffer) => {
      const lines = (this.#partial + chunk.toString()).split('\n')
      this.#partial = lines.pop()!
      this.#lines.push(...lines)
      this.#wake()
    })
    response.on('end', () => this.#end('end'))
    response.on('error', error => this.#end((error as NodeJS.ErrnoException).code ?? 'error'))
  }

  static async open(url: string): Promise<OpenWatch> {
    const asked = get(url, { agent: false })
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    asked.on('error', () => {}) // the response reports it, too
    return new OpenWatch(response)
  }

  /** What came and is not a whole line. */
  get partial(): string {
    return this.#partial
  }

  async line(): Promise<string | undefined> {
    while (this.#lines.length === 0 && this.ended === undefined) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return this.#lines.shift()
  }

  async next(): Promise<WatchEvent> {
    const line = await this.line()
    if (line === undefined) throw new Error(`the watch is over: ${this.ended}`)
    return JSON.parse(line) as WatchEvent
  }

  /** So many events as `TYPE name`, bookmarks as `BOOKMARK revision`. */
  async brief(count: number): Promise<string[]> {
    const lines: string[] = []
    for (let i = 0; i < count; i++) {
      const { type, object } = await this.next()
      const { name, resourceVersion, annotations } = object.metadata
      const end = annotations?.['k8s.io/initial-events-end'] === 'true' ? ' end' : ''
      lines.push(type === 'BOOKMARK' ? `BOOKMARK ${resourceVersion}${end}` : `${type} ${name ?? object.code}`)
    }
    return lines
  }

  async over(): Promise<string> {
    while (this.ended === undefined) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return this.ended
  }

  close(): void {
    this.#response.destroy()
  }

  #end(how: string): void {
    this.ended ??= how
    this.#wake()
  }
}

export function service(
  name: string,
  more: Record<string, unknown> = {},
  labels: Record<string, string> = {},
): ApiObject {
  const metadata = { name, namespace: 'shop', labels }
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }], ...more },
  }
}

/** What is created over HTTP needs its namespace; what a test puts into the store does not. */
export function putNamespace(store: ApiStore, name: string): void {
  store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
}

export function putServices(store: ApiStore, count: number): void {
  for (let i = 0; i < count; i++) store.put(service(`s-${String(i).padStart(5, '0')}`))
}
