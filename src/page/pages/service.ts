import type { Service } from '#kubernetes/objects.ts'
import { FAMILY_LABEL } from '#values/address.ts'
import { type Html, html } from '../html/html.ts'
import { pageOf, pager } from '../html/paging.ts'
import { chip, code, count, facts, grouped, link, listed, listing, moment, yesNo } from '../html/pieces.ts'
import { table } from '../html/table.ts'
import type { PageAsked, PageContent, PageKind, PagePart } from '../request.ts'
import type { FrontendGoal, ServedEndpoint, ServedFamily, ServedFrontend, ServedPort } from '../views/services.ts'

// One Service: where clients connect, where they are sent, and the rules that do it.

const ENDPOINTS = 100
const RULE_LINES = 400

export const SERVICE: PageKind = {
  path: '/page/services/',
  isThere: ({ services }) => services !== undefined,
  follows: ({ services }) => [services],
  content: ({ services }, asked) => {
    const service = services!.service(asked.rest)
    if (service === undefined) return absent(asked.rest)
    const families = services!.families(service.name)
    return {
      title: service.name,
      intro: html`<p class="back">${link('/page/services', '← All Services')}</p>`,
      parts: [
        { id: 'about', body: about(service) },
        ...families.flatMap(family => familyParts(family, asked)),
        ...(families.every(({ ports }) => ports.length === 0) ? [unserved(service)] : []),
      ],
    }
  },
}

function absent(name: string): PageContent {
  return {
    title: 'No such Service',
    status: 404,
    intro: html`<p class="back">${link('/page/services', '← All Services')}</p>`,
    parts: [{ id: 'about', body: html`<p class="empty">There is no Service ${code(name)}, or it is gone.</p>` }],
  }
}

function about(service: Service): Html {
  const { type, clusterIPs, stickySeconds, internalPolicy, externalPolicy, healthCheckNodePort } = service
  return facts([
    { name: 'Type', value: type },
    { name: 'Cluster IP', value: clusterIPs.length === 0 ? 'none' : listed(clusterIPs.map(code)) },
    { name: 'Session affinity', value: stickySeconds === undefined ? 'none' : `client address, ${stickySeconds} s` },
    { name: 'Internal policy', value: internalPolicy },
    { name: 'External policy', value: externalPolicy },
    { name: 'Health check node port', value: healthCheckNodePort },
    { name: 'Created', value: service.created > 0 && moment(service.created) },
    { name: 'UID', value: service.uid !== '' && code(service.uid) },
  ])
}

function unserved({ type }: Service): PagePart {
  const why =
    type === 'ExternalName'
      ? 'It is a name for another name: clients resolve it, and no rule is needed.'
      : 'It has no address that this node serves: clients resolve its endpoints themselves.'
  return { id: 'unserved', body: html`<p class="empty">${why}</p>` }
}

function familyParts({ family, ports, rules }: ServedFamily, asked: PageAsked): readonly PagePart[] {
  if (ports.length === 0) return []
  const label = FAMILY_LABEL[family]
  const texts = rules.map(
    ({ reader, text }) =>
      html`<h3>${code(reader)}</h3>${listing(text, { label: `Rules for ${label}, ${reader}`, most: RULE_LINES })}`,
  )
  return [
    { id: `frontends-${family}`, body: html`<h2>${label}: frontends</h2>${problems(ports)}${frontends(ports, label)}` },
    { id: `endpoints-${family}`, body: html`<h2>${label}: endpoints</h2>${endpoints(ports, label, family, asked)}` },
    {
      id: `rules-${family}`,
      body: html`<h2>${label}: rules</h2><p class="dim">What the tools of the kernel read for this Service alone.</p>${texts.length > 0 ? texts : html`<p class="empty">It has no rules of its own.</p>`}`,
    },
  ]
}

function problems(ports: readonly ServedPort[]): Html {
  const lines = ports.flatMap(({ name, port, refused, lost }) => [
    ...(refused === undefined
      ? []
      : [html`${chip('refused', 'bad')} The kernel refuses the rules of port ${name || port}: ${refused}`]),
    ...lost.map(
      ({ frontend, holder }) =>
        html`${chip('lost', 'warn')} ${code(frontend)} belongs to ${code(holder)}, which is older`,
    ),
  ])
  return lines.length === 0 ? html`` : html`<ul class="troubles">${lines.map(line => html`<li>${line}</li>`)}</ul>`
}

interface FrontendRow extends ServedFrontend {
  readonly port: ServedPort
}

function frontends(ports: readonly ServedPort[], label: string): Html {
  return table<FrontendRow>({
    caption: `Frontends, ${label}`,
    rows: ports.flatMap(port => port.frontends.map(frontend => ({ ...frontend, port }))),
    empty: 'No frontend is served here.',
    keyOf: ({ kind, at, port }) => `${kind} ${at} ${port.protocol}`,
    columns: [
      { title: 'Frontend', names: 'row', kind: 'code', cell: ({ at, port }) => `${at}/${port.protocol}` },
      { title: 'Kind', cell: ({ kind }) => KINDS[kind] },
      { title: 'Port', cell: ({ port: { name, port } }) => name || port },
      { title: 'Connections go to', kind: 'wide', cell: ({ goes }) => goal(goes) },
      {
        title: 'Admits',
        kind: 'code',
        cell: ({ sourceRanges }) => (sourceRanges.length === 0 ? 'all' : listed(sourceRanges)),
      },
      {
        title: 'Why',
        cell: ({ goal: to }) =>
          to !== undefined &&
          link(`/page/explain?${new URLSearchParams({ to })}`, html`explain<span class="hidden"> ${to}</span>`),
      },
    ],
  })
}

const KINDS: Readonly<Record<ServedFrontend['kind'], string>> = {
  'cluster-ip': 'cluster IP',
  'external-ip': 'external IP',
  'load-balancer': 'load balancer',
  'node-port': 'node port',
}

function goal(goes: FrontendGoal): Html {
  switch (goes.to) {
    case 'endpoints':
      return html`${count(goes.count, 'endpoint')}${goes.pool === 'local' && ' on this node'}`
    case 'gate':
      return html`${goes.policy}: inside, ${count(goes.inside, 'endpoint')}; outside, ${goes.outside === 'dropped' ? chip('dropped', 'warn') : count(goes.outside, 'endpoint')}`
    case 'rejected':
      return html`${chip('rejected', 'warn')} no endpoint on any node`
    case 'dropped':
      return html`${chip('dropped', 'warn')} endpoints, but none that the policy Local allows here`
  }
}

interface EndpointRow extends ServedEndpoint {
  readonly port: ServedPort
}

function endpoints(ports: readonly ServedPort[], label: string, family: string, { path, query }: PageAsked): Html {
  const all = ports.flatMap(port => port.endpoints.map(endpoint => ({ ...endpoint, port })))
  const name = `${family}-page`
  const page = pageOf<EndpointRow>(all, query.get(name), ENDPOINTS)
  const rows = table({
    caption: `Endpoints, ${label}`,
    rows: page.rows,
    empty: 'No EndpointSlice names an endpoint.',
    keyOf: ({ text, port }) => `${text} ${port.protocol} ${port.name}`,
    columns: [
      { title: 'Endpoint', names: 'row', kind: 'code', cell: ({ text }) => text },
      { title: 'Port', cell: ({ port }) => port.name || `${port.port}/${port.protocol}` },
      { title: 'New connections', cell: ({ use }) => chip(use, USES[use]) },
      { title: 'Ready', cell: ({ ready }) => yesNo(ready) },
      { title: 'Serving', cell: ({ serving }) => yesNo(serving) },
      { title: 'Terminating', cell: ({ terminating }) => yesNo(terminating) },
      { title: 'On this node', cell: ({ isLocal }) => yesNo(isLocal) },
      { title: 'Node', cell: ({ node }) => node ?? html`<span class="dim">–</span>` },
      { title: 'Zone', cell: ({ zone }) => zone ?? html`<span class="dim">–</span>` },
    ],
  })
  const total = all.length > ENDPOINTS && html`<p class="headline">${grouped(all.length)} endpoints</p>`
  return html`${total}${rows}${pager(page, { path, query, name, label: `Pages of endpoints, ${label}` })}`
}

const USES = { 'in use': 'good', 'local only': 'good', leaving: 'warn', 'not used': 'plain' } as const
