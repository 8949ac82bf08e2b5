import { once } from 'node:events'
import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { Answer, Exchange, Recording } from './recording.ts'

// A recording → what a server answers to its requests, one after the other.

export interface Server {
  readonly url: string
  readonly token?: string
  /** The request in this server's words, where it serves something in another version. */
  readonly said?: (text: string) => string
}

/** Headers that say something about the answer, and are not about the connection or the moment. */
const KEPT_HEADERS = ['allow', 'content-type', 'location', 'retry-after', 'warning', 'www-authenticate']

/** A watch that has nothing more to say is left after this. */
const WATCH_MS = 5_000
/** Later than any server answers. */
const ANSWER_MS = 10_000

export async function play(recording: Pick<Recording, 'exchanges'>, server: Server): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  const named = new Map<string, unknown>()
  for (const exchange of recording.exchanges) {
    const answer = await answerOf(filled(exchange, named) as Exchange, server)
    answers.push(answer)
    if (exchange.as !== undefined) named.set(exchange.as, answer.body)
  }
  return answers
}

/** `{made:metadata.uid}` → what stands there in the answer named `made`, in every text of the request. */
function filled(value: unknown, named: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === 'string') {
    return value.replace(/\{(\w+):([\w.]+)\}/g, (_whole, name: string, path: string) => {
      let found: unknown = named.get(name)
      for (const key of path.split('.')) found = (found as Record<string, unknown> | undefined)?.[key]
      return String(found)
    })
  }
  if (Array.isArray(value)) return value.map(item => filled(item, named))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key === 'answer' ? item : filled(item, named)]),
  )
}

async function answerOf(exchange: Exchange, server: Server): Promise<Answer> {
  const response = await ask(exchange, server)
  const kept = KEPT_HEADERS.flatMap(name => {
    const value = response.headers[name]
    return value === undefined ? [] : [[name, String(value)]]
  })
  const base = { status: response.statusCode!, headers: Object.fromEntries(kept) as Record<string, string> }
  if (exchange.events !== undefined && base.status === 200)
    return { ...base, body: await eventsOf(response, exchange.events) }
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  const body = /json/.test(base.headers['content-type'] ?? '') && text !== '' ? JSON.parse(text) : text
  return { ...base, body: exchange.parts === undefined ? body : partsOf(body, exchange.parts) }
}

async function ask(exchange: Exchange, server: Server): Promise<IncomingMessage> {
  const [, method, path] = /^(\w+) (\S+)$/.exec(exchange.request) ?? []
  if (path === undefined) throw new Error(`not METHOD PATH: ${exchange.request}`)
  const { body, headers = {} } = exchange
  const said = server.said ?? (text => text)
  const sent = said(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body))
  const framed =
    body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }
  const token = server.token === undefined ? {} : { authorization: `Bearer ${server.token}` }
  const all = { accept: 'application/json', 'user-agent': 'recorder', ...token, ...framed, ...headers }
  const url = server.url + said(path)
  const signal = AbortSignal.timeout(ANSWER_MS)
  const options = { method: method!, headers: all, agent: false, signal } as const
  const asked = url.startsWith('https:')
    ? tlsRequest(url, { ...options, rejectUnauthorized: false })
    : plainRequest(url, options)
  asked.end(sent)
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  asked.on('error', () => {}) // a watch that we leave
  return response
}

async function eventsOf(response: IncomingMessage, count: number): Promise<readonly unknown[]> {
  const events: unknown[] = []
  const patience = setTimeout(() => response.destroy(), count === 0 ? 0 : WATCH_MS)
  try {
    let rest = ''
    for await (const chunk of response) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop()!
      events.push(...lines.map(line => JSON.parse(line) as unknown))
      if (events.length >= count) break
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE' && !response.destroyed) throw error
  } finally {
    clearTimeout(patience)
    response.destroy()
  }
  return events.slice(0, count)
}

function partsOf(body: unknown, parts: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(parts.map(part => [part, partOf(body, part.split('|'))]))
}

function partOf(body: unknown, keys: readonly string[]): unknown {
  let found = body
  for (const key of keys) {
    const [, list, name] = /^(.*)\[(.+)\]$/.exec(key) ?? []
    if (list !== undefined) {
      const items = (found as Record<string, unknown> | undefined)?.[list]
      found = Array.isArray(items) ? items.find(item => Object.values(item as object).includes(name)) : undefined
    } else found = (found as Record<string, unknown> | undefined)?.[key]
  }
  return found ?? null
}
