import type { Slis } from './slis.ts'

// A path on the metrics port → what stands there: numbers for Prometheus, and what kube-proxy's own tools ask for.

export interface PageAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface ShownRefusal {
  readonly ipFamily: string
  /** `shop/cart:http/tcp` */
  readonly servicePort: string
  readonly unit: string
  readonly reason: string
}

/** What the pages show. Functions are called at each request. */
export interface Shown {
  readonly metrics: () => string
  readonly slis: Slis
  readonly mode: string
  /** The KubeProxyConfiguration in force, without fields that kube-proxy does not know. */
  readonly configuration: Readonly<Record<string, unknown>>
  /** Service ports whose rules the kernel refuses. */
  readonly refused: () => readonly ShownRefusal[]
  /** Every flag and its value, by name. */
  readonly flags: ReadonlyMap<string, string>
  readonly version: string
  readonly runtime: string
  /** Milliseconds since the epoch, as `now` gives it. */
  readonly startedAt: number
  readonly now: () => number
}

export interface PageRequest {
  readonly path: string
  readonly query: URLSearchParams
}

type Page = (shown: Shown, request: PageRequest) => PageAnswer

const PAGES: Readonly<Record<string, Page>> = {
  '/metrics': ({ metrics }) => ok('text/plain; version=0.0.4; charset=utf-8', metrics()),
  '/metrics/slis': ({ slis }) => ok('text/plain; version=0.0.4; charset=utf-8', slis.text()),
  '/proxyMode': ({ mode }) => text(mode),
  '/healthz': ({ slis }, { query }) => pong(slis, query.has('verbose') ? '[+]ping ok\nhealthz check passed\n' : 'ok'),
  '/healthz/ping': ({ slis }) => pong(slis, 'ok'),
  '/configz': ({ configuration }) => ok('application/json', configz(configuration)),
  '/refusedz': ({ refused }) => ok('application/json', JSON.stringify(refused())),
  '/flagz': ({ flags }) => text(flagz(flags)),
  '/statusz': shown => text(statusz(shown)),
}

/** Nothing where there is no such page. */
export function pageAt(shown: Shown, request: PageRequest): PageAnswer | undefined {
  return Object.hasOwn(PAGES, request.path) ? PAGES[request.path]!(shown, request) : undefined
}

function pong(slis: Slis, body: string): PageAnswer {
  slis.pinged()
  return text(body)
}

/** As kube-proxy: its name for the group, `kind` and `apiVersion` first. */
function configz({ apiVersion, kind, ...rest }: Shown['configuration']): string {
  return JSON.stringify({ 'kubeproxy.config.k8s.io': { kind, apiVersion, ...rest } })
}

function flagz(flags: Shown['flags']): string {
  return `${heading('flagz')}${[...flags].map(([name, value]) => `${name}:${value}\n`).join('')}`
}

function statusz({ startedAt, now, version, runtime }: Shown): string {
  const seconds = Math.max(0, Math.floor((now() - startedAt) / 1000))
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const rows = {
    Started: new Date(startedAt).toUTCString(),
    Up: `${hours} hr ${twoDigits(minutes)} min ${twoDigits(seconds % 60)} sec`,
    Runtime: runtime,
    'Binary version': version,
    Paths: Object.keys(PAGES).sort().join(' '),
  }
  const lines = Object.entries(rows).map(([name, value]) => `${name}:  ${value}\n`)
  return `${heading('statusz')}\n${lines.join('')}`
}

function heading(page: string): string {
  return `\nswitchyard ${page}\nWarning: This page is for people; its form may change at any time.\n`
}

function twoDigits(n: number): string {
  return String(n).padStart(2, '0')
}

function text(body: string): PageAnswer {
  return ok('text/plain; charset=utf-8', body)
}

function ok(type: string, body: string): PageAnswer {
  return { status: 200, headers: { 'Content-Type': type, 'X-Content-Type-Options': 'nosniff' }, body }
}
