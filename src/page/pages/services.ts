import type { Service } from '#kubernetes/objects.ts'
import { type Hole, type Html, html } from '../html/html.ts'
import { type PageOf, pageOf, pager } from '../html/paging.ts'
import { chip, code, count, grouped, link, listed } from '../html/pieces.ts'
import { table } from '../html/table.ts'
import type { PageAsked, PageKind } from '../request.ts'
import { CHOICES, found, type Search, searchIn } from '../search.ts'
import type { EndpointCounts, ServiceSource } from '../views/services.ts'

// The Services of the cluster, searched and paged here: ten thousand of them never reach a browser at once.

const ROWS = 50

export const SERVICES: PageKind = {
  path: '/page/services',
  label: 'Services',
  isThere: ({ services }) => services !== undefined,
  follows: ({ services }) => [services],
  content: ({ services }, { path, query }) => {
    const source = services!
    const search = searchIn(query)
    const page = pageOf(found(search, source), query.get('page'), ROWS)
    return {
      title: 'Services',
      intro: form(search, query.get('q') ?? ''),
      parts: [
        { id: 'rows', body: html`${headline(page, source)}${rows(page, source)}${pages(page, { path, query })}` },
      ],
    }
  },
}

function form({ choice }: Search, q: string): Html {
  const options = Object.entries(CHOICES).map(
    ([value, label]) => html`<option value="${value}"${value === choice && html` selected`}>${label}</option>`,
  )
  return html`<form class="search" role="search" action="/page/services" data-as-typed>
<label class="grows">Search <input type="search" name="q" value="${q}" placeholder="name, address, port or type" autocomplete="off" spellcheck="false" aria-keyshortcuts="/" maxlength="200"></label>
<label>Show <select name="show">${options}</select></label>
<button>Search</button>
</form>`
}

function headline({ total }: PageOf<Service>, source: ServiceSource): Html {
  const note = source.isComplete()
    ? ''
    : html` ${chip('incomplete', 'warn')} lists of the API server have not all arrived`
  return html`<p class="headline">${count(total, 'Service')}${note}</p>`
}

function pages(page: PageOf<Service>, asked: Pick<PageAsked, 'path' | 'query'>): Html {
  return pager(page, { ...asked, label: 'Pages of Services' })
}

function rows(page: PageOf<Service>, source: ServiceSource): Html {
  const refused = source.refused()
  const withCounts = page.rows.map(service => ({ service, counts: source.endpointCounts(service.name) }))
  return table({
    caption: 'Services',
    rows: withCounts,
    empty:
      'No Service is like that. Words are looked for in names, addresses, ports and types; all of them must be found.',
    keyOf: ({ service }) => service.name,
    columns: [
      {
        title: 'Service',
        names: 'row',
        cell: ({ service: { name } }) => link(servicePath(name), named(name)),
      },
      { title: 'State', cell: ({ service, counts }) => state(service, counts, refused) },
      { title: 'Type', cell: ({ service: { type } }) => type },
      { title: 'Cluster IP', kind: 'code', cell: ({ service }) => addresses(service) },
      { title: 'Ports', kind: 'code', cell: ({ service: { ports } }) => listed(ports.map(portText)) },
      { title: 'Ready', kind: 'number', cell: ({ counts }) => `${grouped(counts.ready)}/${grouped(counts.total)}` },
      { title: 'On this node', kind: 'number', cell: ({ counts: { local } }) => grouped(local) },
    ],
  })
}

export function servicePath(name: string): string {
  return `/page/services/${name.split('/').map(encodeURIComponent).join('/')}`
}

function named(name: string): Html {
  const slash = name.indexOf('/') + 1
  return html`<span class="dim">${name.slice(0, slash)}</span>${name.slice(slash)}`
}

function state(
  { name, type, clusterIPs }: Service,
  { ready }: EndpointCounts,
  refused: ReadonlyMap<string, string>,
): Html {
  if (refused.has(name)) return chip('refused', 'bad')
  if (type === 'ExternalName') return chip('a name only', 'plain')
  if (clusterIPs.length === 0) return chip('headless', 'plain')
  return ready > 0 ? chip('served', 'good') : chip('no endpoints', 'warn')
}

function addresses({ clusterIPs, externalIPs, loadBalancerIPs }: Service): Hole {
  const outer = [...externalIPs, ...loadBalancerIPs]
  return html`${listed(clusterIPs)}${outer.length > 0 && html`<br><span class="dim">external ${listed(outer)}</span>`}`
}

/** As kubectl has it: `80:30080/TCP`. */
function portText({ port, nodePort, protocol }: Service['ports'][number]): Html {
  return code(`${port}${nodePort === undefined ? '' : `:${nodePort}`}/${protocol.toUpperCase()}`)
}
