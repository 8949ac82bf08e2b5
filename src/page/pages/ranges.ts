import { type Html, html } from '../html/html.ts'
import { pageOf, pager } from '../html/paging.ts'
import { chip, code, facts, grouped, listed, partOf } from '../html/pieces.ts'
import { table } from '../html/table.ts'
import type { PageAsked, PageKind } from '../request.ts'
import type { RangesLine, RangesOfNode, RangeUse } from '../views/pods.ts'

// Where addresses come from: the sets of this node, and which node has which range.

const ROWS = 100

export const RANGES: PageKind = {
  path: '/page/ranges',
  label: 'Ranges',
  isThere: ({ ranges }) => ranges !== undefined,
  follows: ({ ranges }) => [ranges],
  content: ({ ranges }, asked) => ({
    title: 'Ranges',
    parts: [
      { id: 'sets', body: html`<h2>Sets of this node</h2>${partOf(() => ranges!.sets(), sets)}` },
      { id: 'cluster', body: cluster(ranges!) },
      {
        id: 'nodes',
        body: html`<h2>Nodes</h2>${partOf(
          () => ranges!.nodes(),
          all => nodes(all, asked),
        )}`,
      },
    ],
  }),
}

function cluster(source: RangesOfNode): Html {
  const list = source.cluster()
  if (list.length === 0) return html``
  return html`<h2>Cluster</h2>${facts(list.map(({ name, ranges }) => ({ name, value: listed(ranges.map(code)) })))}`
}

function sets(all: readonly RangeUse[]): Html {
  return table({
    caption: 'Range sets of this node, and how full they are',
    rows: all,
    empty: 'No network has given an address on this node yet.',
    keyOf: ({ network, ranges }) => `${network} ${ranges.join()}`,
    columns: [
      { title: 'Network', names: 'row', cell: ({ network }) => network },
      { title: 'Ranges', kind: 'code', cell: ({ ranges }) => listed(ranges) },
      { title: 'Assigned', kind: 'number', cell: ({ assigned }) => grouped(assigned) },
      { title: 'Cooling down', kind: 'number', cell: ({ cooling }) => grouped(cooling) },
      { title: 'Free', kind: 'number', cell: ({ free }) => (free === 0n ? chip('0', 'bad') : grouped(free)) },
      { title: 'Of', kind: 'number', cell: ({ size }) => grouped(size) },
    ],
  })
}

function nodes(all: readonly RangesLine[], { path, query }: PageAsked): Html {
  const page = pageOf(all, query.get('page'), ROWS)
  const rows = table({
    caption: 'Nodes, and the ranges their pods have addresses of',
    rows: page.rows,
    empty: 'No Node is known here yet.',
    keyOf: ({ node }) => node,
    columns: [
      {
        title: 'Node',
        names: 'row',
        cell: ({ node, isThisNode }) => html`${node}${isThisNode && html` ${chip('this node', 'plain')}`}`,
      },
      { title: 'Addresses', kind: 'code', cell: ({ addresses }) => listed(addresses) },
      {
        title: 'Ranges',
        kind: 'code',
        cell: ({ ranges }) => (ranges.length === 0 ? chip('none', 'warn') : listed(ranges)),
      },
    ],
  })
  return html`${rows}${pager(page, { path, query, label: 'Pages of nodes' })}`
}
