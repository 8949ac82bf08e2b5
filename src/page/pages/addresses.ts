import { type Html, html } from '../html/html.ts'
import { pageOf, pager } from '../html/paging.ts'
import { chip, code, grouped, moment, partOf } from '../html/pieces.ts'
import { table } from '../html/table.ts'
import type { PageAsked, PageKind } from '../request.ts'
import type { AddressLine, AddressSource, NetworkAddresses } from '../views/pods.ts'

// Which pod of this node has which address.

const ROWS = 100
const NONE = html`<p class="empty">No network has given an address on this node yet.</p>`

export const ADDRESSES: PageKind = {
  path: '/page/addresses',
  label: 'Addresses',
  isThere: ({ addresses }) => addresses !== undefined && isThere(addresses),
  follows: ({ addresses }) => [addresses],
  content: ({ addresses }, asked) => {
    const q = (asked.query.get('q') ?? '').trim().toLowerCase()
    const body = partOf(
      () => addresses!.networks() ?? [],
      networks =>
        networks.length === 0 ? NONE : html`${networks.map((network, i) => networkRows(network, q, `n${i}`, asked))}`,
    )
    return { title: 'Addresses of this node', intro: form(q), parts: [{ id: 'rows', body }] }
  },
}

/** What cannot be read is there, and the page of it says why: no other page ends with it. */
function isThere(addresses: AddressSource): boolean {
  try {
    return addresses.isThere()
  } catch {
    return true
  }
}

function form(q: string): Html {
  return html`<form class="search" role="search" action="/page/addresses" data-as-typed>
<label class="grows">Search <input type="search" name="q" value="${q}" placeholder="address, pod, container or status" autocomplete="off" spellcheck="false" aria-keyshortcuts="/" maxlength="200"></label>
<button>Search</button>
</form>`
}

function networkRows(network: NetworkAddresses, q: string, name: string, { path, query }: PageAsked): Html {
  const page = pageOf(
    network.rows.filter(row => isIn(q, row)),
    query.get(name),
    ROWS,
  )
  const title = `Addresses of network ${network.network}`
  const rows = table<AddressLine>({
    caption: title,
    rows: page.rows,
    empty: 'No address is like that.',
    keyOf: ({ ip }) => ip,
    columns: [
      { title: 'Address', names: 'row', kind: 'code', cell: ({ ip }) => ip },
      { title: 'Status', cell: status },
      {
        title: 'Pod',
        cell: ({ pod, reason }) =>
          pod === undefined && reason === undefined
            ? html`<span class="dim">–</span>`
            : html`${pod}${reason !== undefined && html` <span class="dim">${reason}</span>`}`,
      },
      {
        title: 'Container',
        kind: 'code',
        cell: ({ container }) => container?.slice(0, 13) ?? html`<span class="dim">–</span>`,
      },
      { title: 'Interface', kind: 'code', cell: ({ ifname }) => ifname ?? html`<span class="dim">–</span>` },
      {
        title: 'Since (UTC)',
        cell: ({ since }) => (since === undefined ? html`<span class="dim">–</span>` : moment(since)),
      },
    ],
  })
  const counts = network.counts.map(({ status: word, count }) => `${grouped(count)} ${word.toLowerCase()}`).join(', ')
  const subnets = network.subnets.map(subnet => html` ${code(subnet)}`)
  return html`<h2>${network.network}${subnets}</h2><p class="headline">${counts}</p>${rows}${pager(page, { path, query, name, label: `Pages of ${title}` })}`
}

function status({ status: word, isGood, until }: AddressLine): Html {
  const tone = isGood ? (word === 'ASSIGNED' ? 'good' : 'plain') : 'bad'
  return html`${chip(word.toLowerCase(), tone)}${until !== undefined && html` <small class="dim">until ${moment(until)}</small>`}`
}

function isIn(q: string, { ip, pod, container, status: word, reason }: AddressLine): boolean {
  if (q === '') return true
  return [ip, pod, container, word, reason].some(text => text?.toLowerCase().includes(q))
}
