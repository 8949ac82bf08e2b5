import type { Listener, OpenListener } from '#dialects/relay.ts'
import { Relay } from '#proxy/relay/relay.ts'
import type { RelayEvent } from '#proxy/relay/relay-events.ts'
import { eachLine } from '#system/processes/lines.ts'
import type { Family } from '#values/address.ts'
import type { PortRange } from '#values/port-range.ts'

// The relay as a program of its own, for a node that is a network namespace: requests on stdin → listeners → replies and
// events on stdout. It ends with its stdin, so nothing of it outlives the process that started it.

/** In argv, as JSON. */
export interface RelayProgramOptions {
  readonly portRange: PortRange | 'any'
  readonly udpIdleMs: number
}

export type RelayRequest =
  | { readonly do: 'open'; readonly family: Family; readonly wanted: readonly Listener[] }
  | { readonly do: 'close'; readonly family: Family; readonly names: readonly string[] }

export interface RelayAsked {
  readonly id: number
  readonly request: RelayRequest
}

/** Every message carries the listeners that are open by then. */
export interface RelaySaid {
  readonly open: Readonly<Record<Family, readonly OpenListener[]>>
  readonly say:
    | { readonly what: 'done'; readonly id: number; readonly closed: readonly OpenListener[] }
    | { readonly what: 'failed'; readonly id: number; readonly why: string }
    | { readonly what: 'lost' }
    | { readonly what: 'event'; readonly event: RelayEvent; readonly error?: string }
}

const relay = new Relay({
  ...(JSON.parse(process.argv[2]!) as RelayProgramOptions),
  // The first event comes from the constructor, before there is a relay to list.
  report: event =>
    queueMicrotask(() => say({ what: 'event', event, ...('error' in event && { error: event.error.message }) })),
  lost: () => say({ what: 'lost' }),
})

eachLine(process.stdin, line => void serve(JSON.parse(line) as RelayAsked))
process.stdin.once('end', () => process.exit(0))

async function serve({ id, request }: RelayAsked): Promise<void> {
  try {
    say({ what: 'done', id, closed: await carryOut(request) })
  } catch (error) {
    say({ what: 'failed', id, why: (error as Error).message })
  }
}

async function carryOut(request: RelayRequest): Promise<readonly OpenListener[]> {
  if (request.do === 'close') return relay.close(request.family, request.names)
  await relay.open(request.family, request.wanted)
  return []
}

function say(words: RelaySaid['say']): void {
  const open = { ipv4: relay.list('ipv4'), ipv6: relay.list('ipv6') }
  process.stdout.write(`${JSON.stringify({ open, say: words } satisfies RelaySaid)}\n`)
}
