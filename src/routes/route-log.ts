import type { Log } from '#telemetry/log/klog.ts'
import type { RouteChange } from './plan/changes.ts'
import { keyOf } from './plan/difference.ts'
import type { RefusedRange } from './plan/route-plan.ts'
import type { RoundHeld, RouteReport } from './round.ts'

// What a round did → lines for the person who looks after the node: one for each thing, when it begins and when it ends.

/**
 * Of things of one kind in one round; how many more there are is one line: where a link goes, each of the 5,000 routes over it does.
 * Of changes in a cluster that is seen for the first time, one line says how many there are.
 */
const LINES = 10

export class RouteLog {
  /** A field with this name: the build finds its calls. */
  readonly log: Log
  #rounds = 0
  #refused: ReadonlyMap<string, RefusedRange> = new Map()
  #errors: ReadonlySet<string> = new Set()
  #isHeld = false

  constructor(log: Log) {
    this.log = log
  }

  held(why: RoundHeld, node: string): void {
    if (!this.#isHeld)
      this.log.warning(`Routes are left as they are: ${why}`, { node, next: 'they are kept again once it is' })
    this.#isHeld = true
  }

  report(report: RouteReport): void {
    this.#isHeld = false
    this.#changes(report)
    this.#ranges(report.plan.refused)
    this.#kernel(report)
    this.#rounds++
  }

  #changes({ plan, changes, repaired, standing }: RouteReport): void {
    const nodes = new Map(plan.routes.map(route => [keyOf(route), route.node]))
    const overlay = plan.overlay?.options
    for (const change of changes) {
      if (change.do === 'add overlay') this.log.info(0, 'Overlay begins', { ...overlay, over: plan.overlay?.underlay })
      if (change.do === 'delete overlay' && overlay === undefined) this.log.info(0, 'Overlay ends, no node needs it')
    }
    upTo(LINES, repaired, {
      each: change => this.log.warning('Route was taken away, and is there again', wordsOf(change, nodes)),
      more: routes => this.log.warning('More routes were taken away, and are there again', { routes }),
    })
    const mended = new Set(repaired)
    const rest = changes.filter(change => isRoute(change) && !mended.has(change))
    const level = this.#rounds > 0 && rest.length <= LINES ? 0 : 2
    for (const change of rest)
      this.log.info(level, change.do === 'add route' ? 'Route added' : 'Route removed', wordsOf(change, nodes))
    if (this.#rounds > 0 && (level === 0 || rest.length === 0)) return
    const [added, removed] = [rest.filter(one => one.do === 'add route').length, rest.length]
    const counts = { added, removed: removed - added, refused: plan.refused.length }
    this.log.info(0, 'Routes to other nodes stand', { routes: standing.size, ...counts })
  }

  #ranges(refused: readonly RefusedRange[]): void {
    const now = new Map(refused.map(one => [`${one.node} ${one.range} ${one.why}`, one]))
    const begun = [...now].flatMap(([key, one]) => (this.#refused.has(key) ? [] : [one]))
    upTo(LINES, begun, {
      each: ({ node, range, why }) => this.log.warning('No route to a range of another node', { node, range, why }),
      more: ranges => this.log.warning('No routes to more ranges of other nodes', { ranges }),
    })
    const still = new Set(refused.map(({ node, range }) => `${node} ${range}`))
    const ended = [...this.#refused.values()].filter(({ node, range }) => !still.has(`${node} ${range}`))
    upTo(LINES, ended, {
      each: ({ node, range }) => this.log.info(0, 'Range of another node has no trouble any more', { node, range }),
      more: ranges => this.log.info(0, 'More ranges of other nodes have no trouble any more', { ranges }),
    })
    this.#refused = now
  }

  #kernel({ refused }: RouteReport): void {
    const now = new Map(refused.map(({ error }) => [error.message, error]))
    const begun = [...now].flatMap(([message, error]) => (this.#errors.has(message) ? [] : [error]))
    const next = 'tried again in the next round'
    upTo(LINES, begun, {
      each: error => this.log.error('Kernel refused a change of routes', error, { next }),
      more: changes => this.log.warning('Kernel refused more changes of routes', { changes, next }),
    })
    this.#errors = new Set(now.keys())
  }
}

interface Lines<T> {
  readonly each: (one: T) => void
  readonly more: (count: number) => void
}

/** A line for each of the first, and one for how many more there are. */
function upTo<T>(most: number, all: readonly T[], { each, more }: Lines<T>): void {
  for (const one of all.slice(0, most)) each(one)
  if (all.length > most) more(all.length - most)
}

function isRoute(change: RouteChange): boolean {
  return change.do === 'add route' || change.do === 'delete route'
}

function wordsOf(change: RouteChange, nodes: ReadonlyMap<string, string>) {
  if (change.do !== 'add route' && change.do !== 'delete route') return {}
  const { destination, gateway, link } = change.route
  const node = nodes.get(keyOf(change.route))
  return { ...(node !== undefined && { node }), range: destination, via: gateway, dev: link }
}
