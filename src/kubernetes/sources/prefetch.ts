import type { Event, Source } from '#kubernetes/event.ts'

// A source → the same source, asked for its first event at once: the agent prepares the node while the API server
// answers.

export function prefetch(source: Source, signal: AbortSignal): Source {
  const events = source(signal)[Symbol.asyncIterator]()
  const first = events.next()
  // A failure is delivered when the first event is asked for; until then it must not count as unhandled.
  first.catch(() => {})
  return () => following(first, events)
}

async function* following(first: Promise<IteratorResult<Event>>, events: AsyncIterator<Event>): AsyncGenerator<Event> {
  try {
    for (let next = await first; !next.done; next = await events.next()) yield next.value
  } finally {
    await events.return?.()
  }
}
