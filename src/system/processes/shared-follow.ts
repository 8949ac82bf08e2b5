import type { Command, Follow, Following } from '#system/ports.ts'

// Several listeners to the same program → one process: it starts with the first listener and ends with the last.

export function sharedFollow(follow: Follow): Follow {
  const running = new Map<string, Shared>()
  return (argv, onLine) => {
    const key = JSON.stringify(argv)
    const known = running.get(key)
    if (known !== undefined) return known.join(onLine)
    const started = new Shared(follow, argv, () => {
      if (running.get(key) === started) running.delete(key)
    })
    running.set(key, started)
    return started.join(onLine)
  }
}

type Ending = Awaited<Following['ended']>
type Listener = (line: string) => void

class Shared {
  readonly #following: Following
  readonly #listeners = new Set<Listener>()
  readonly #over: () => void

  /** `over` is called as soon as no listener can join any more. */
  constructor(follow: Follow, argv: Command['argv'], over: () => void) {
    this.#over = over
    this.#following = follow(argv, line => {
      for (const listener of this.#listeners) listener(line)
    })
    void this.#following.ended.then(over)
  }

  join(onLine: Listener): Following {
    const listener: Listener = line => onLine(line)
    this.#listeners.add(listener)
    const left = Promise.withResolvers<Ending>()
    const ended = Promise.race([this.#following.ended, left.promise])
    return {
      ended,
      stop: async () => {
        if (this.#listeners.delete(listener) && this.#listeners.size === 0) {
          this.#over()
          return this.#following.stop()
        }
        left.resolve({ code: 0, stderr: '' })
        return ended
      },
    }
  }
}
