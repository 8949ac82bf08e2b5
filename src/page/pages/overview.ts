import { type Html, html } from '../html/html.ts'
import { chip, facts, grouped, moment } from '../html/pieces.ts'
import { table } from '../html/table.ts'
import type { PageKind } from '../request.ts'
import type { HealthView } from '../views/health.ts'
import type { PageSources } from '../views/sources.ts'
import { callTable } from './calls.ts'
import { syncTable } from './syncs.ts'

// The first page: whether all is well here, and what an operator should look at if not.

export const OVERVIEW: PageKind = {
  path: '/',
  label: 'Overview',
  isThere: () => true,
  follows: ({ health, syncs, calls }) => [health, syncs, calls],
  content: sources => {
    const health = sources.health.health()
    return {
      title: 'Overview',
      parts: [
        { id: 'checks', body: checks(health) },
        { id: 'troubles', body: troubles(health.troubles) },
        { id: 'lanes', body: lanes(health) },
        { id: 'syncs', body: syncs(sources) },
        { id: 'calls', body: calls(sources) },
        { id: 'watches', body: watches(health) },
        { id: 'facts', body: html`<h2>This process</h2>${facts(health.facts)}` },
      ],
    }
  },
}

function checks({ checks }: HealthView): Html {
  const cards = checks.map(
    ({ name, isGood, word, says }) =>
      html`<li><span class="name">${name}</span> ${chip(word, isGood ? 'good' : 'bad')}<span class="says">${says}</span></li>`,
  )
  return html`<h2>Health</h2><ul class="cards">${cards}</ul>`
}

function troubles(sentences: readonly string[]): Html {
  const list =
    sentences.length === 0
      ? html`<p class="empty">Nothing needs a look.</p>`
      : html`<ul class="troubles">${sentences.map(sentence => html`<li>${sentence}</li>`)}</ul>`
  return html`<h2>To look at</h2>${list}`
}

function lanes({ lanes }: HealthView): Html {
  if (lanes.length === 0) return html``
  const rows = table({
    caption: 'Rules by IP family',
    rows: lanes,
    empty: '',
    keyOf: ({ family }) => family,
    columns: [
      { title: 'Family', names: 'row', cell: ({ family }) => family },
      { title: 'Up to date', cell: ({ isHealthy }) => (isHealthy ? chip('yes', 'good') : chip('no', 'bad')) },
      { title: 'Last sync', cell: ({ lastSyncAt }) => moment(lastSyncAt) },
      { title: 'Service ports', kind: 'number', cell: ({ servicePorts }) => grouped(servicePorts) },
      { title: 'Units of rules', kind: 'number', cell: ({ units }) => grouped(units) },
      { title: 'Refused', kind: 'number', cell: ({ refused }) => (refused > 0 ? chip(String(refused), 'bad') : '0') },
    ],
  })
  return html`<h2>Rules</h2>${rows}`
}

function syncs({ syncs }: PageSources): Html {
  if (syncs === undefined) return html``
  return html`<h2>Last syncs</h2>${syncTable(syncs.recent().slice(0, 5), 'The last five syncs', 'short')}<p><a href="/page/syncs">All that are kept</a></p>`
}

function calls({ calls }: PageSources): Html {
  if (calls === undefined) return html``
  return html`<h2>Last calls</h2>${callTable(calls.calls().slice(0, 10), 'The last ten calls')}<p><a href="/page/calls">All that are kept</a></p>`
}

function watches({ watches }: HealthView): Html {
  if (watches.length === 0) return html``
  const rows = table({
    caption: 'Watches of the API server',
    rows: watches,
    empty: '',
    keyOf: ({ kind }) => kind,
    columns: [
      { title: 'Kind', names: 'row', cell: ({ kind }) => kind },
      { title: 'Listed', cell: ({ isSynced }) => (isSynced ? chip('yes', 'good') : chip('not yet', 'warn')) },
      { title: 'Objects', kind: 'number', cell: ({ objects }) => grouped(objects) },
      { title: 'Last heard', cell: ({ heardAt }) => moment(heardAt) },
      { title: 'Failures', kind: 'number', cell: ({ failures }) => grouped(failures) },
    ],
  })
  return html`<h2>API server</h2>${rows}`
}
