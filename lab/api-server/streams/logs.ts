import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Refused } from '../requests/answers.ts'
import type { Target } from '../requests/resources.ts'
import { type ContainerParts, containerOf } from './containers.ts'
import type { LogOptions } from './pod-streams.ts'

// GET pods/log → what the kubelet has of it, as plain text, as long as there is more and the client stays.

export async function sendLogs(
  parts: ContainerParts,
  { target, query }: { readonly target: Target; readonly query: URLSearchParams },
  response: ServerResponse,
): Promise<void> {
  const options = logOptions(query, parts.store.now())
  const { container, streams } = containerOf(parts, target, query.get('container'))
  // As with the real server, a pod without a node has written nothing.
  if (streams === undefined) {
    begin(response).end()
    return
  }
  const lines = streams.logs(container, options)[Symbol.asyncIterator]()
  const left = once(response, 'close').then(() => 'left' as const)
  for (let next = await Promise.race([lines.next(), left]); ; next = await Promise.race([lines.next(), left])) {
    if (next === 'left') return void (await lines.return?.())
    begin(response)
    if (next.done === true) break
    if (!response.write(next.value)) await Promise.race([once(response, 'drain'), left])
  }
  response.end()
}

/** Not before the first line is there: until then a refusal may come instead. */
function begin(response: ServerResponse): ServerResponse {
  if (!response.headersSent) {
    response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' })
  }
  return response
}

function logOptions(query: URLSearchParams, now: number): LogOptions {
  const tailLines = wholeNumber(query, 'tailLines')
  const limitBytes = wholeNumber(query, 'limitBytes')
  const sinceSeconds = wholeNumber(query, 'sinceSeconds') ?? secondsSince(query.get('sinceTime'), now)
  return {
    follow: isTrue(query.get('follow')),
    previous: isTrue(query.get('previous')),
    timestamps: isTrue(query.get('timestamps')),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
  }
}

function secondsSince(time: string | null, now: number): number | undefined {
  const then = Date.parse(time ?? '')
  return Number.isNaN(then) ? undefined : Math.max(1, Math.ceil((now - then) / 1000))
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^\d{1,15}$/.test(text))
    throw new Refused(400, `${name}: Invalid value: ${JSON.stringify(text)}: must be a number`)
  return Number(text)
}

export function isTrue(text: string | null): boolean {
  return text !== null && /^(true|1)$/i.test(text)
}
