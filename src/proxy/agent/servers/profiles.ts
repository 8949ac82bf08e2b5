import type { Clock } from '#system/ports.ts'
import type { ProfileKind } from '#system/profiler.ts'
import type { HttpAnswer, HttpRequest, HttpStream } from '#system/sockets.ts'
import type { Log } from '#telemetry/log/klog.ts'

// A request for a profile of this program → the profile, as a file to be opened in the developer tools of a browser. V8 looks
// on only while one is being taken.

export interface ProfilesParts {
  readonly nodeName: string
  readonly clock: Clock
  readonly log: Log
}

interface ProfilePage {
  readonly kind: ProfileKind
  readonly ending: 'cpuprofile' | 'heapprofile'
  readonly shows: string
}

/** The names are those that kube-proxy's profiles have. */
const PAGES: Readonly<Record<string, ProfilePage>> = {
  profile: { kind: 'cpu', ending: 'cpuprofile', shows: 'where the processor time goes' },
  heap: { kind: 'heap', ending: 'heapprofile', shows: 'which functions allocate memory that stays' },
  allocs: {
    kind: 'allocations',
    ending: 'heapprofile',
    shows: 'which functions allocate memory, whether it stays or not',
  },
}

const ROOT = '/debug/pprof/'
const SECONDS = { usual: 30, most: 60 } as const

export class Profiles {
  readonly #parts: ProfilesParts
  /** When the profile that is being taken is due. */
  #busyUntil: number | undefined

  constructor(parts: ProfilesParts) {
    this.#parts = parts
  }

  /** Undefined for a path that belongs to other pages. */
  answer({ method, path, query }: Pick<HttpRequest, 'method' | 'path' | 'query'>): HttpAnswer | undefined {
    if (path === ROOT || path === ROOT.slice(0, -1)) return plain(200, LISTING)
    if (!path.startsWith(ROOT)) return undefined
    const name = path.slice(ROOT.length)
    if (!Object.hasOwn(PAGES, name)) return plain(404, `there is no profile "${name}"; there are ${NAMES.join(', ')}\n`)
    const asked = query.get('seconds') ?? String(SECONDS.usual)
    const seconds = /^\d{1,2}$/.test(asked) ? Number(asked) : 0
    if (seconds < 1 || seconds > SECONDS.most)
      return plain(400, `seconds is "${asked}"; a whole number from 1 to ${SECONDS.most} would be right\n`)
    const { clock } = this.#parts
    const now = clock.now()
    if (this.#busyUntil !== undefined) {
      const left = Math.max(1, Math.ceil((this.#busyUntil - now) / 1000))
      return plain(409, `another profile is being taken; ask again in ${left} s\n`)
    }
    // Of such a request nothing but the headers is answered.
    if (method !== 'HEAD') this.#busyUntil = now + 1000 * seconds
    const page = PAGES[name]!
    return { status: 200, headers: this.#headers(page, now), body: '', stream: to => this.#take(page, seconds, to) }
  }

  async #take({ kind }: ProfilePage, seconds: number, to: HttpStream): Promise<void> {
    const { clock, log } = this.#parts
    log.info(2, 'Taking a profile', { kind, seconds })
    try {
      const { takeProfile } = await import('#system/profiler.ts')
      // A client that has gone ends it.
      to.write(await takeProfile(kind, () => clock.sleep(1000 * seconds, to.closed)))
    } finally {
      this.#busyUntil = undefined
    }
  }

  #headers({ ending }: ProfilePage, now: number): NonNullable<HttpAnswer['headers']> {
    const at = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '')
    const node = this.#parts.nodeName.replace(/[^\w.-]/g, '_')
    return {
      'Content-Type': 'application/json',
      'Content-Disposition': `attachment; filename="switchyard-${node}-${at}.${ending}"`,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    }
  }
}

const NAMES = Object.keys(PAGES)

const LISTING = [
  'Profiles of this program, to be opened in the developer tools of a browser:',
  ...Object.entries(PAGES).map(([name, { ending, shows }]) => {
    const page = `${ROOT}${name}?seconds=${SECONDS.usual}`
    return `  ${page.padEnd(34)}.${ending}: ${shows}`
  }),
  `seconds may be 1 to ${SECONDS.most}. One is taken at a time.`,
  '',
].join('\n')

function plain(status: number, body: string): HttpAnswer {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' }, body }
}
