import { type Html, html } from '../html/html.ts'
import { chip, duration, listed, moment } from '../html/pieces.ts'
import { table } from '../html/table.ts'
import type { PageKind } from '../request.ts'
import type { CallRecord } from '../views/calls.ts'

// The last calls of the container runtime: which pod came or went, and what went wrong.

export const CALLS: PageKind = {
  path: '/page/calls',
  label: 'Calls',
  isThere: ({ calls }) => calls !== undefined,
  follows: ({ calls }) => [calls],
  content: ({ calls }) => ({
    title: 'Calls of the container runtime',
    parts: [{ id: 'calls', body: callTable(calls!.calls(), 'The last calls, the latest first') }],
  }),
}

export function callTable(calls: readonly CallRecord[], caption: string): Html {
  return table({
    caption,
    rows: calls,
    empty: 'No pod has come or gone yet.',
    keyOf: ({ at, command, container, plugin }) => `${at} ${command} ${plugin} ${container}`,
    columns: [
      { title: 'Ended (UTC)', names: 'row', cell: ({ at }) => moment(at) },
      { title: 'Call', cell: ({ command, plugin }) => html`${command} <span class="dim">${plugin}</span>` },
      {
        title: 'Result',
        cell: ({ failure }) => (failure === undefined ? chip('done', 'good') : chip('failed', 'bad')),
      },
      {
        title: 'Pod',
        cell: ({ pod, container }) => pod ?? html`<span class="dim">container</span> ${container?.slice(0, 13)}`,
      },
      { title: 'Network', cell: ({ network }) => network },
      { title: 'Addresses', kind: 'code', cell: ({ ips }) => listed(ips) },
      { title: 'Took', kind: 'number', cell: ({ tookMs }) => duration(tookMs) },
      { title: 'Waited', kind: 'number', cell: ({ waitedMs }) => duration(waitedMs) },
      { title: 'Why', kind: 'wide', cell: ({ failure }) => failure },
    ],
  })
}
