import { describe, expect, test } from 'vitest'
import type { Service } from '#kubernetes/objects.ts'
import { SERVICE } from '#page/pages/service.ts'
import type { FrontendGoal, ServedEndpoint, ServedFamily, ServedPort, ServiceSource } from '#page/views/services.ts'
import { ip, service } from '../../support/objects.ts'
import { hostile, isInert, pageAsked, read, STILL, shown } from './shown.ts'

const ENDPOINT: ServedEndpoint = {
  ...{ text: '10.244.1.2:8080', ready: true, serving: true, terminating: false, isLocal: true, node: 'one', zone: 'a' },
  use: 'in use',
}
const PORT: ServedPort = {
  ...{ name: 'http', protocol: 'tcp', port: 80, endpoints: [ENDPOINT], lost: [] },
  frontends: [
    {
      ...{ kind: 'cluster-ip', at: '10.96.0.10:80', goal: '10.96.0.10:80/tcp', sourceRanges: [] },
      goes: { to: 'endpoints', count: 1, pool: 'cluster' },
    },
  ],
}
const FAMILY: ServedFamily = {
  ...{ family: 'ipv4', ports: [PORT] },
  rules: [{ reader: 'iptables-restore --noflush', text: '*nat\n-A KUBE-SERVICES -j X\nCOMMIT' }],
}
const CART = service('shop/cart', ['10.96.0.10'])

function source(of: Service | undefined, ...families: readonly ServedFamily[]): { services: ServiceSource } {
  const known = { service: () => of, families: () => families, services: () => [], isComplete: () => true }
  const counts = { endpointCounts: () => ({ total: 0, ready: 0, local: 0 }), hasEndpoint: () => false }
  return { services: { ...STILL, ...known, ...counts, refused: () => new Map() } }
}

const withPort = (more: Partial<ServedPort>) => source(CART, { ...FAMILY, ports: [{ ...PORT, ...more }] })
const parts = async (...given: Parameters<typeof pageAsked>) => (await pageAsked(...given)).parts.map(({ id }) => id)

test('a Service that is not there, or is gone, is a 404 that names it', async () => {
  const page = await pageAsked(SERVICE, source(undefined), 'shop/<b>')
  expect(page).toMatchObject({ status: 404, title: 'No such Service' })
  expect(String(page.parts[0]!.body)).toContain('<code>shop/&lt;b&gt;</code>')
})

test('each family that is served has frontends, endpoints and rules', async () => {
  const six = { ...FAMILY, family: 'ipv6' } as const
  expect(await parts(SERVICE, source(CART, FAMILY, six))).toEqual([
    ...['about', 'frontends-ipv4', 'endpoints-ipv4', 'rules-ipv4'],
    ...['frontends-ipv6', 'endpoints-ipv6', 'rules-ipv6'],
  ])
  expect(await parts(SERVICE, source(CART, FAMILY, { ...six, ports: [] }))).not.toContain('rules-ipv6')
})

test.each<[string, Partial<Service>, RegExp]>([
  ['an ExternalName', { type: 'ExternalName' }, /It is a name for another name/],
  ['a headless one', {}, /It has no address that this node serves/],
])('%s says why there is nothing to serve', async (_, more, why) => {
  const none = source({ ...CART, ...more, clusterIPs: [] }, { ...FAMILY, ports: [] })
  expect(await parts(SERVICE, none)).toEqual(['about', 'unserved'])
  expect(await read(SERVICE, none)).toMatch(why)
})

test('what a Service is stands above: no fact that it has not', async () => {
  const plain = await read(SERVICE, source(CART, FAMILY))
  expect(plain).toMatch(/Type ClusterIP Cluster IP 10\.96\.0\.10 Session affinity none Internal policy Cluster/)
  expect(plain).not.toMatch(/Health check node port|Created/)
  const rich = { ...CART, clusterIPs: [], stickySeconds: 60, healthCheckNodePort: 31_000, created: 1000 }
  expect(await read(SERVICE, source(rich, FAMILY))).toMatch(
    /Cluster IP none Session affinity client address, 60 s .* Health check node port 31000 Created 00:00:01 1970-01-01/,
  )
})

describe('a frontend', () => {
  const goes = async (goal: FrontendGoal) => {
    const [frontend] = PORT.frontends
    return read(SERVICE, withPort({ frontends: [{ ...frontend!, goes: goal }] }))
  }

  test.each<[FrontendGoal, string]>([
    [{ to: 'endpoints', count: 1, pool: 'cluster' }, '1 endpoint all'],
    [{ to: 'endpoints', count: 2, pool: 'local' }, '2 endpoints on this node all'],
    [{ to: 'gate', inside: 3, outside: 1, policy: 'Local' }, 'Local: inside, 3 endpoints; outside, 1 endpoint all'],
    [
      { to: 'gate', inside: 3, outside: 'dropped', policy: 'Local' },
      'Local: inside, 3 endpoints; outside, dropped all',
    ],
    [{ to: 'rejected' }, 'rejected no endpoint on any node all'],
    [{ to: 'dropped' }, 'dropped endpoints, but none that the policy Local allows here all'],
  ])('goes to %j', async (goal, text) => {
    expect(await goes(goal)).toContain(`10.96.0.10:80/tcp cluster IP http ${text}`)
  })

  test('leads to the explanation of it, where it has an address to ask about', async () => {
    expect(await shown(SERVICE, source(CART, FAMILY))).toContain('href="/page/explain?to=10.96.0.10%3A80%2Ftcp"')
    const { goal: _, ...nameless } = PORT.frontends[0]!
    expect(await shown(SERVICE, withPort({ frontends: [nameless] }))).not.toContain('/page/explain')
  })

  test('that is refused or lost says to whom, and why', async () => {
    const lost = [{ frontend: '198.18.1.1:80', holder: 'shop/older' }]
    const text = await read(SERVICE, withPort({ name: '', refused: 'no such chain', lost }))
    expect(text).toContain('refused The kernel refuses the rules of port 80: no such chain')
    expect(text).toContain('lost 198.18.1.1:80 belongs to shop/older , which is older')
  })
})

describe('endpoints', () => {
  const many = Array.from({ length: 250 }, (_, n): ServedEndpoint => ({ ...ENDPOINT, text: `10.244.1.${n}:80` }))

  test('are turned a hundred at a time, each family by itself', async () => {
    const page = await shown(SERVICE, withPort({ endpoints: many }), 'shop/cart?ipv4-page=3&ipv6-page=2')
    expect(page.match(/data-key="10\.244\.1\.\d+:80 tcp http"/g)).toHaveLength(50)
    expect(page).toContain('<p class="headline">250 endpoints</p>')
    expect(page).toContain('ipv4-page=2&amp;ipv6-page=2')
  })

  test('say of where they are unknown that it is', async () => {
    const { node: _, zone: __, ...bare } = ENDPOINT
    expect(await read(SERVICE, withPort({ endpoints: [{ ...bare, isLocal: false }] }))).toContain(
      '10.244.1.2:8080 http in use yes yes no no – –',
    )
  })
})

test('a Service without rules of its own says so, and long rules are cut', async () => {
  expect(await read(SERVICE, source(CART, { ...FAMILY, rules: [] }))).toMatch(/It has no rules of its own\.$/)
  const text = Array.from({ length: 500 }, (_, n) => `-A ${n}`).join('\n')
  const long = source(CART, { ...FAMILY, rules: [{ reader: 'nft -f -', text }] })
  expect(await read(SERVICE, long)).toMatch(/-A 399 … 100 more lines$/)
})

test('no text of a Service becomes HTML', async () => {
  const port = { ...PORT, refused: 'x', lost: [{ frontend: 'x', holder: 'x' }] }
  const family = hostile<ServedFamily>({ ...FAMILY, ports: [port] }, ['family', 'kind', 'to', 'pool', 'use'])
  const bad = { ...hostile(CART), clusterIPs: [ip('10.96.0.10')] }
  expect(isInert(await shown(SERVICE, source(bad, family), 'shop/cart'))).toBe(true)
})
