import { html } from '../html/html.ts'
import { pageOf, pager } from '../html/paging.ts'
import { chip, count, moment } from '../html/pieces.ts'
import { table } from '../html/table.ts'
import type { PageKind } from '../request.ts'

// How packets reach pods of other nodes.

const ROWS = 100

export const ROUTES: PageKind = {
  path: '/page/routes',
  label: 'Routes',
  isThere: ({ routes }) => routes !== undefined,
  follows: ({ routes }) => [routes],
  content: ({ routes }, { path, query }) => {
    const shown = routes!.routes()
    if (shown === undefined) {
      const none = html`<p class="empty">Routes to other nodes are not kept here, or no round has ended yet.</p>`
      return { title: 'Routes to other nodes', parts: [{ id: 'routes', body: none }] }
    }
    const page = pageOf(shown.routes, query.get('page'), ROWS)
    const rows = table({
      caption: 'Routes to the ranges of other nodes',
      rows: page.rows,
      empty: 'No other node has a range.',
      keyOf: ({ node, range }) => `${node} ${range}`,
      columns: [
        { title: 'Range', names: 'row', kind: 'code', cell: ({ range }) => range },
        { title: 'Node', cell: ({ node }) => node },
        { title: 'State', cell: ({ state }) => chip(state, state === 'stands' ? 'good' : 'bad') },
        { title: 'Via', kind: 'code', cell: ({ via }) => via },
        { title: 'Link', kind: 'code', cell: ({ link }) => link },
        { title: 'Why', kind: 'wide', cell: ({ reason }) => reason },
      ],
    })
    const headline = html`<p class="headline">${count(shown.routes.length, 'route')}, last looked at ${moment(shown.at)}, ${count(shown.repaired, 'repair')}</p>`
    const pages = pager(page, { path, query, label: 'Pages of routes' })
    return { title: 'Routes to other nodes', parts: [{ id: 'routes', body: html`${headline}${rows}${pages}` }] }
  },
}
