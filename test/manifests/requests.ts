import { credentialsFrom } from '#kubernetes/access/credentials.ts'
import { EventWriter } from '#kubernetes/event-writer.ts'
import { apiSource } from '#kubernetes/sources/api-source.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import { targetOf } from '#lab/api-server/requests/resources.ts'
import { type ApiServer, type SeenRequest, startApiServer } from '#lab/api-server/server.ts'
import { systemClock } from '#system/clock.ts'
import { starting } from '#telemetry/events.ts'

// Everything the agent asks of an API server, new or old → what a role must allow, as `verb group/resource`.

const AGES = ['streams lists', 'lists in pages'] as const
type Age = (typeof AGES)[number]

export async function requestsMade(): Promise<ReadonlySet<string>> {
  const made = new Set<string>()
  for (const age of AGES) {
    const server = await startApiServer()
    if (age === 'lists in pages') server.inject({ do: 'refuse-watch-list', how: 'status-400' })
    try {
      await askAll(server, age)
    } finally {
      await server.close()
    }
    for (const request of server.requests) made.add(permission(request))
  }
  return made
}

async function askAll(server: ApiServer, age: Age): Promise<void> {
  const clock = systemClock
  const credentials = await credentialsFrom({
    master: server.url,
    env: {},
    files: { readText: () => Promise.reject(new Error('no file here')) },
    kernel: { run: () => Promise.reject(new Error('no kernel here')) },
    clock,
  })
  const stop = new AbortController()
  const extras = ['ServiceCIDR'] as const
  const source = apiSource({ credentials, nodeName: 'here', clock, random: Math.random, onNotice: () => {}, extras })
  const listening = Array.fromAsync(source(stop.signal))
  while (!isWatchedWhole(server.requests, age)) await clock.sleep(5)
  stop.abort()
  await listening
  await writeEvent(new ApiTransport({ credentials }))
}

/** Services, slices, our Node, ServiceCIDRs. */
const KINDS = 4

/** Whether each has been seen whole, and is watched for changes. */
function isWatchedWhole(requests: readonly SeenRequest[], age: Age): boolean {
  const counts = (wanted: (request: SeenRequest) => boolean): boolean =>
    new Set(requests.filter(wanted).map(({ path }) => path)).size === KINDS
  const streams = ({ query }: SeenRequest): boolean => query.watch === 'true' && query.sendInitialEvents === 'true'
  if (age === 'streams lists') return counts(streams)
  return (
    counts(({ query }) => query.watch === undefined) && counts(seen => seen.query.watch === 'true' && !streams(seen))
  )
}

async function writeEvent(transport: ApiTransport): Promise<void> {
  const fate = await new Promise(resolve => {
    const writer = new EventWriter({ transport, clock: systemClock, onFate: resolve })
    writer.send(starting({ nodeName: 'here', hostname: 'here', now: systemClock.now() }))
  })
  if ((fate as { readonly result: string }).result !== 'sent') throw new Error(JSON.stringify(fate))
  await transport.close()
}

/** As the API server's authorizer sees a request. */
export function permission({ method, path, query }: SeenRequest): string {
  const target = targetOf(path)
  if (target === undefined) throw new Error(`${method} ${path} is no request for an object`)
  const reads = target.name === undefined ? (query.watch === 'true' ? 'watch' : 'list') : 'get'
  const verb = { GET: reads, POST: 'create', PATCH: 'patch', PUT: 'update', DELETE: 'delete' }[method]
  return `${verb} ${target.resource.group}/${target.resource.plural}`
}
