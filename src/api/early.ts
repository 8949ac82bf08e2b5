import type { Event, Source } from './event.ts'

// A source → the same, asked for its first event right away: what follows may take its time to get ready to listen.

export function early(source: Source, signal: AbortSignal): Source {
  const events = source(signal)[Symbol.asyncIterator]()
  const first = events.next()
  // Whoever listens will hear of a failure; until then it is nobody's.
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
