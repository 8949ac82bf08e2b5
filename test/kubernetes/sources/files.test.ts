import { describe, expect, test } from 'vitest'
import type { Event } from '#kubernetes/event.ts'
import { documents, fileSource, InputError } from '#kubernetes/sources/files.ts'

const SERVICE = `
apiVersion: v1
kind: Service
metadata: { namespace: shop, name: cart }
spec: { clusterIP: 10.96.0.10, ports: [{ port: 80 }] }
`
const SLICE = `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { namespace: shop, name: cart-x, labels: { kubernetes.io/service-name: cart } }
addressType: IPv4
ports: [{ port: 8080 }]
endpoints: [{ addresses: [10.244.1.1] }]
`
const NODE = `
apiVersion: v1
kind: Node
metadata: { name: n1 }
`
const SYNCED = ['synced Service', 'synced EndpointSlice', 'synced Node', 'synced ServiceCIDR']

function brief(event: Event): string {
  if (event.type === 'put') return `put ${event.object.kind} ${event.object.name}`
  if (event.type === 'gone') return `gone ${event.kind} ${event.name}`
  if (event.type === 'synced') return `synced ${event.kind}`
  return `problem ${event.kind} ${event.name}: ${event.problems.join('; ')}`
}

function eventsOf(text: string, name = 'a.yaml'): string[] {
  const events = documents([{ name, text }]).map(brief)
  expect(events.slice(-SYNCED.length)).toEqual(SYNCED)
  return events.slice(0, -SYNCED.length)
}

function error(text: string): InputError {
  try {
    documents([{ name: 'a.yaml', text }])
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(InputError)
    return thrown as InputError
  }
  throw new Error('nothing was thrown')
}

describe('documents', () => {
  test('of several files are delivered in their order, and then that this was all', () => {
    const texts = [
      { name: 'a.yaml', text: `${NODE}---${SERVICE}` },
      { name: 'b.yaml', text: SLICE },
    ]
    expect(documents(texts).map(brief)).toEqual([
      'put Node n1',
      'put Service shop/cart',
      'put EndpointSlice shop/cart-x',
      ...SYNCED,
    ])
  })

  test('of nothing are nothing', () => {
    expect(documents([]).map(brief)).toEqual(SYNCED)
    for (const text of ['', '---\n---\n', '# just a comment\n', 'null', '\uFEFF']) expect(eventsOf(text)).toEqual([])
  })

  test('may be JSON, one or many, with or without a byte order mark', () => {
    const json = '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}'
    expect(eventsOf(json)).toEqual(['put Node n1'])
    expect(eventsOf(`\uFEFF${json}`)).toEqual(['put Node n1'])
    expect(eventsOf(`${json}\n---\n${json.replace('n1', 'n2')}`)).toEqual(['put Node n1', 'put Node n2'])
  })

  test('may use CRLF, anchors and merges', () => {
    expect(eventsOf(SERVICE.replaceAll('\n', '\r\n'))).toEqual(['put Service shop/cart'])
    const merged = SERVICE.replace('metadata: {', 'x: &x { namespace: bank }\nmetadata: { <<: *x,').replace(
      'namespace: shop,',
      '',
    )
    expect(eventsOf(merged)).toEqual(['put Service bank/cart'])
  })

  test('may be lists, and the items of a list of one kind need not say it', () => {
    const item = (text: string) => text.trim().replaceAll('\n', '\n  ')
    expect(eventsOf(`apiVersion: v1\nkind: List\nitems:\n- ${item(SERVICE)}\n- ${item(SLICE)}\n`)).toEqual([
      'put Service shop/cart',
      'put EndpointSlice shop/cart-x',
    ])
    const bare = (text: string) => item(text.replace(/apiVersion: .*\nkind: .*\n/, ''))
    expect(
      eventsOf(`kind: ServiceList\nitems:\n- ${bare(SERVICE)}\n---\nkind: EndpointSliceList\nitems:\n- ${bare(SLICE)}`),
    ).toEqual(['put Service shop/cart', 'put EndpointSlice shop/cart-x'])
    expect(eventsOf('{"kind":"NodeList","items":[{"metadata":{"name":"n1"}}]}')).toEqual(['put Node n1'])
    expect(eventsOf('kind: List\nitems: [{ kind: NodeList, items: [{ metadata: { name: n1 } }] }]')).toEqual([
      'put Node n1',
    ])
  })

  test('of other kinds are none of ours', () => {
    const others = ['apps/v1/Deployment', 'v1/ConfigMap', 'serving.knative.dev/v1/Service', 'x/v1/Node', 'v1/Pod']
    for (const other of others) {
      const [, apiVersion, kind] = /^(.*)\/(.*)$/.exec(other)!
      expect(eventsOf(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: BAD }`)).toEqual([])
    }
    expect(eventsOf('kind: IPAllowList\nitems: [1, 2]')).toEqual([])
  })

  test('that the API server would not be asked for are left alone', () => {
    const labelled = (text: string, label: string) =>
      text.replace('metadata: { ', `metadata: { labels: { ${label}: "" }, `)
    expect(eventsOf(labelled(SERVICE, 'service.kubernetes.io/service-proxy-name'))).toEqual([])
    expect(eventsOf(labelled(SERVICE, 'service.kubernetes.io/headless'))).toEqual(['put Service shop/cart'])
    expect(eventsOf(SLICE.replace('labels: {', 'labels: { service.kubernetes.io/headless: "",'))).toEqual([])
  })
})

describe('what is wrong with an object', () => {
  test('is reported with file and line, beside what is used of it', () => {
    const bad = SERVICE.replace('clusterIP:', 'externalIPs: [10.1.0.400], clusterIP:')
    expect(eventsOf(`# hello\n${NODE}\n---\n\n${bad}`)).toEqual([
      'put Node n1',
      'problem Service shop/cart: a.yaml:10: spec.externalIPs[0]: "10.1.0.400" is not an IP address',
      'put Service shop/cart',
    ])
  })

  test('an object of which nothing can be used is gone', () => {
    expect(eventsOf(SERVICE.replace('10.96.0.10', 'x'))).toEqual([
      'problem Service shop/cart: a.yaml:2: spec.clusterIP: "x" is not an IP address, None or empty',
      'gone Service shop/cart',
    ])
  })

  test('an item of a list is named by its own line, or in JSON by its number', () => {
    const yaml = 'kind: NodeList\nitems:\n- metadata: { name: n1 }\n- metadata:\n    name: N2\n'
    expect(eventsOf(yaml)).toEqual([
      'put Node n1',
      'problem Node "N2": a.yaml:4: metadata.name: "N2" is not the name of a Node',
    ])
    const json = '{"kind":"NodeList","items":[{"metadata":{"name":"n1"}},{"metadata":{"name":"N2"}}]}'
    expect(eventsOf(json, 'a.json')).toEqual([
      'put Node n1',
      'problem Node "N2": a.json: items[1]: metadata.name: "N2" is not the name of a Node',
    ])
  })

  test.each([
    ['just text', 'problem document nothing: a.yaml:1: "just text" is not an object'],
    ['[1, 2]', 'problem document nothing: a.yaml: a list is not an object'],
    ['metadata: { name: x }', 'problem document "x": a.yaml:1: kind: nothing is not the kind of an object'],
    ['kind: 5', 'problem document nothing: a.yaml:1: kind: 5 is not the kind of an object'],
    [
      'kind: Node\nmetadata: { name: n1 }',
      'problem Node n1: a.yaml:1: apiVersion: nothing is not supported for Node: "v1" is;gone Node n1',
    ],
  ])('%j', (text, expected) => {
    expect(eventsOf(text).join(';')).toBe(expected)
  })

  test('Endpoints without any EndpointSlice are reported once, with one they are not', () => {
    const endpoints = 'apiVersion: v1\nkind: Endpoints\nmetadata: { namespace: shop, name: cart }\n'
    const problem =
      'problem Endpoints "cart": a.yaml:7: Endpoints are not read: traffic follows EndpointSlices, and there are none'
    expect(eventsOf(`${SERVICE}---\n${endpoints}---\n${endpoints}`)).toEqual(['put Service shop/cart', problem])
    expect(eventsOf(`${endpoints}---${SLICE}`)).toEqual(['put EndpointSlice shop/cart-x'])
  })
})

describe('text that is not YAML', () => {
  test.each([
    ['a: [1, 2', 1, 9],
    [`${SERVICE}---\nkind: Service\n\tmetadata: {}\n`, 8, 1],
    ['a: 1\na: 2\n', 2, 1],
    ['{"a": 1,\n "b" 2}', 2, 6],
    ['a: "unended\nb: 2', 2, 5],
  ])('%j is an error at %i:%i', (text, line, column) => {
    const thrown = error(text)
    expect(thrown).toMatchObject({ name: 'InputError', file: 'a.yaml', line, column })
    expect(thrown.message).toMatch(new RegExp(`^a.yaml:${line}:${column}: [A-Z]`))
  })

  test('a small text that would become an endless object is an error, too', () => {
    const row = (name: string, of: string) => `${name}: &${name} [${Array(10).fill(`*${of}`).join(', ')}]\n`
    const bomb = `a: &a [1]\n${row('b', 'a')}${row('c', 'b')}${row('d', 'c')}${row('e', 'd')}`
    expect(error(bomb).message).toMatch(/^a.yaml:1:1: Excessive alias count/)
  })

  test('an alias of nothing is an error', () => {
    expect(error('kind: *nothing').message).toMatch(/nothing/)
  })
})

describe('a file as a source', () => {
  test('delivers all and ends', async () => {
    const events: string[] = []
    for await (const event of fileSource([{ name: 'a.yaml', text: SERVICE }])(new AbortController().signal)) {
      events.push(brief(event))
    }
    expect(events).toEqual(['put Service shop/cart', ...SYNCED])
  })

  test('stops when its signal aborts', async () => {
    const stop = new AbortController()
    const events: string[] = []
    for await (const event of fileSource([{ name: 'a.yaml', text: `${NODE}---${SERVICE}` }])(stop.signal)) {
      events.push(brief(event))
      stop.abort()
    }
    expect(events).toEqual(['put Node n1'])
  })
})
