import type { ServerResponse } from 'node:http'
import type { FaultAction, FaultScope } from '#lab/api-server/fault-plan.ts'
import { answer } from '../answers.ts'
import type { Target } from '../resources.ts'
import { matcher } from '../selectors.ts'
import { expired, listPage } from './list.ts'
import type { Rendering } from './rendering.ts'
import { Watch, type WatchParts } from './watch.ts'

// A list or watch request → its answer, or what an injected fault makes of it.

export interface ReadParts extends WatchParts {
  opened(watch: Watch, response: ServerResponse): void
}

export interface ReadRequest {
  readonly target: Target
  readonly scope: FaultScope
  readonly query: URLSearchParams
  readonly rendering: Rendering
}

type HalfFault = Extract<FaultAction, { do: 'reset' | 'truncate' | 'stall' }>

export class ApiReads {
  readonly #parts: ReadParts

  constructor(parts: ReadParts) {
    this.#parts = parts
  }

  watch({ target, scope, query, rendering }: ReadRequest, response: ServerResponse): void {
    const { resource, namespace, name } = target
    const fields = [query.get('fieldSelector'), name && `metadata.name=${name}`].filter(Boolean).join(',')
    const matches = matcher(query.get('labelSelector'), fields)
    const watch = new Watch({ scope, resource, namespace, matches, query, rendering }, this.#parts, response)
    this.#parts.opened(watch, response)
    watch.start()
  }

  list({ target: { resource, namespace }, scope, query, rendering }: ReadRequest, response: ServerResponse): void {
    const { store, faults } = this.#parts
    if (query.get('continue') && faults.take(scope, ['expire-continue'])) throw expired('continue')
    const [labels, fields] = [query.get('labelSelector'), query.get('fieldSelector')]
    const matches = matcher(labels, fields)
    const page = listPage(store, { resource, namespace, matches, query, selective: Boolean(labels || fields) })
    const text = rendering.list(resource, page)
    const fault = faults.take(
      scope,
      ['close', 'reset', 'truncate', 'stall'],
      it => it.do !== 'stall' || it.at !== 'headers',
    )
    if (fault === undefined) answer(response, 200, text)
    else if (fault.do === 'close') response.destroy()
    else this.#sendHalf(response, text, fault)
  }

  /** Announces the whole list and sends half of it. */
  #sendHalf(response: ServerResponse, text: string, fault: HalfFault): void {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) + 1 })
    response.flushHeaders()
    if (fault.do === 'stall' && fault.at === 'body') return
    response.write(text.slice(0, text.length / 2), () => {
      if (fault.do === 'truncate') response.socket?.destroySoon()
      else if (fault.do === 'reset') this.#parts.reset(response)
    })
  }
}
