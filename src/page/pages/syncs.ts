import { type Html, html } from '../html/html.ts'
import { bytes, chip, code, count, duration, grouped, listed, moment } from '../html/pieces.ts'
import { table } from '../html/table.ts'
import type { PageKind } from '../request.ts'
import type { SyncRecord } from '../views/syncs.ts'

// What the last syncs did, how long each stage took, and what was wrong.

export const SYNCS: PageKind = {
  path: '/page/syncs',
  label: 'Syncs',
  isThere: ({ syncs }) => syncs !== undefined,
  follows: ({ syncs }) => [syncs],
  content: ({ syncs }) => ({
    title: 'Syncs',
    parts: [
      { id: 'repairs', body: html`<h2>Drift, repairs and refusals</h2>${repairTable(syncs!.repairs())}` },
      {
        id: 'recent',
        body: html`<h2>Last syncs</h2>${syncTable(syncs!.recent(), 'The last syncs, the latest first', 'all')}`,
      },
    ],
  }),
}

export function syncTable(records: readonly SyncRecord[], caption: string, detail: 'all' | 'short'): Html {
  return table({
    caption,
    rows: records,
    empty: 'No sync has ended yet.',
    keyOf: ({ at, family }) => `${at} ${family}`,
    columns: [
      { title: 'Began (UTC)', names: 'row', cell: ({ at }) => moment(at) },
      { title: 'Family', cell: ({ family }) => family },
      { title: 'Result', cell: result },
      { title: 'Took', kind: 'number', cell: ({ tookMs }) => duration(tookMs) },
      { title: 'Units', cell: units },
      { title: 'Service ports that changed', kind: 'wide', cell: changed },
      { title: 'Commands', kind: 'number', cell: ({ commands, bytes: size }) => sent(commands, size) },
      { title: 'Connections ended', kind: 'number', cell: ({ connectionsEnded }) => grouped(connectionsEnded) },
      ...(detail === 'all' ? [{ title: 'Stages', cell: stagesOf } as const] : []),
    ],
  })
}

function result({ failure, refused, drift, looked }: SyncRecord): Html {
  if (failure !== undefined) return chip('failed', 'bad')
  if (refused.length > 0) return chip('refused in part', 'bad')
  if (drift.count > 0) return chip('repaired', 'warn')
  return looked ? html`${chip('done', 'good')} <span class="dim">kernel read</span>` : chip('done', 'good')
}

function stagesOf({ stages }: SyncRecord): Html {
  const parts = Object.entries(stages).filter(([, ms]) => ms >= 0.5)
  return html`<small>${parts.map(([stage, ms]) => `${stage} ${duration(ms)}`).join(' · ')}</small>`
}

function units({ units: { added, changed: other, removed } }: SyncRecord): Html {
  if (added + other + removed === 0) return html`<span class="dim">none</span>`
  const words = [
    added > 0 && `+${grouped(added)}`,
    other > 0 && `~${grouped(other)}`,
    removed > 0 && `−${grouped(removed)}`,
  ]
  return html`<span class="units" title="${added} added, ${other} changed, ${removed} removed">${words.filter(word => word !== false).join(' ')}</span>`
}

function changed({ changed: { count: all, names } }: SyncRecord): Html {
  if (all === 0) return html`<span class="dim">none</span>`
  const more = all - names.length
  return html`${listed(names.map(name => code(name)))}${more > 0 && ` and ${grouped(more)} more`}`
}

function sent(commands: number, size: number): Html {
  return html`${grouped(commands)}${size > 0 && html` <small class="dim">${bytes(size)}</small>`}`
}

function repairTable(records: readonly SyncRecord[]): Html {
  return table({
    caption: 'Syncs in which something was wrong, the latest first',
    rows: records,
    empty: 'No other program has changed our rules, and the kernel has refused none.',
    keyOf: ({ at, family }) => `${at} ${family}`,
    columns: [
      { title: 'Began (UTC)', names: 'row', cell: ({ at }) => moment(at) },
      { title: 'Family', cell: ({ family }) => family },
      { title: 'What', kind: 'wide', cell: what },
    ],
  })
}

function what({ drift, refused, blocked, failure }: SyncRecord): Html {
  const more = drift.count - drift.units.length
  const lines = [
    failure !== undefined &&
      html`${chip('failed', 'bad')} ${failure.reason} <span class="dim">tried again in ${duration(failure.retryMs)}</span>`,
    drift.count > 0 &&
      html`${chip('repaired', 'warn')} ${count(drift.count, 'unit')} changed by another program: ${listed(drift.units.map(code))}${more > 0 && ` and ${grouped(more)} more`}`,
    ...refused.map(
      ({ owner, unit, reason }) =>
        html`${chip('refused', 'bad')} ${code(owner)}: ${reason} <span class="dim">unit ${code(unit)}</span>`,
    ),
    ...blocked.map(
      ({ unit, by }) =>
        html`${chip('blocked', 'warn')} ${code(unit)} stays, emptied: a foreign rule leads there, ${code(by)}`,
    ),
  ]
  return html`<ul class="bare">${lines.map(line => line !== false && html`<li>${line}</li>`)}</ul>`
}
