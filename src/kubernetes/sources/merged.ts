// Several streams → one, in the order in which their events come.

type Arrived<T> = { readonly from: AsyncGenerator<T>; readonly next: IteratorResult<T> } | { readonly error: unknown }

/** Each stream is asked for its next event only when its last one was applied, and all are ended when this one ends. */
export async function* merged<T>(streams: readonly AsyncGenerator<T>[], stop: AbortController): AsyncGenerator<T> {
  const arrived: Arrived<T>[] = []
  let wake = () => {}
  const ask = (from: AsyncGenerator<T>) => {
    // Not Promise.race: each round would leave a reaction behind on the streams that are quiet.
    const arrive = (arrival: Arrived<T>) => {
      arrived.push(arrival)
      wake()
    }
    from.next().then(
      next => arrive({ from, next }),
      error => arrive({ error }),
    )
  }
  try {
    streams.forEach(ask)
    for (let open = streams.length; open > 0; ) {
      const arrival = arrived.shift()
      if (arrival === undefined) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      } else if ('error' in arrival) {
        throw arrival.error
      } else if (arrival.next.done) {
        open -= 1
      } else {
        if (stop.signal.aborted) return
        yield arrival.next.value
        ask(arrival.from)
      }
    }
  } finally {
    stop.abort()
    await Promise.allSettled(streams.map(stream => stream.return(undefined)))
  }
}
