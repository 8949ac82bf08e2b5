import { describe, expect, test } from 'vitest'
import { endpointsOf, Slices } from '#proxy/cluster/slices.ts'
import { endpoint, name, slice, slicePort } from '../../support/objects.ts'

const names = (slices: readonly { readonly name: string }[]) => slices.map(one => one.name)

describe('slices of a Service', () => {
  test('are those whose label names it, in the order of their names, of one family', () => {
    const slices = new Slices()
    slices.put(slice('shop/b', 'shop/cart', [endpoint('10.1.0.1')]))
    slices.put(slice('shop/a', 'shop/cart', [endpoint('10.1.0.2')]))
    slices.put(slice('shop/c', 'shop/cart', [endpoint('fd00::1')]))
    slices.put(slice('shop/d', 'shop/web', [endpoint('10.1.0.3')]))
    expect(names(slices.of(name('shop/cart'), 'ipv4'))).toEqual(['shop/a', 'shop/b'])
    expect(names(slices.of(name('shop/cart'), 'ipv6'))).toEqual(['shop/c'])
    expect(slices.of(name('shop/none'), 'ipv4')).toEqual([])
  })

  test('that come or change touch their Service, and both where the label moves from one to another', () => {
    const slices = new Slices()
    expect(slices.put(slice('shop/a', 'shop/cart', []))).toEqual(['shop/cart'])
    expect(slices.put(slice('shop/a', 'shop/cart', [endpoint('10.1.0.1')]))).toEqual(['shop/cart'])
    expect(slices.put(slice('shop/a', 'shop/web', [endpoint('10.1.0.1')]))).toEqual(['shop/cart', 'shop/web'])
    expect(slices.of(name('shop/cart'), 'ipv4')).toEqual([])
    expect(names(slices.of(name('shop/web'), 'ipv4'))).toEqual(['shop/a'])
  })

  test('that go touch it once; one that is not known touches none', () => {
    const slices = new Slices()
    slices.put(slice('shop/a', 'shop/cart', [endpoint('10.1.0.1')]))
    expect(slices.remove(name('shop/a'))).toEqual(['shop/cart'])
    expect(slices.remove(name('shop/a'))).toEqual([])
    expect([slices.get(name('shop/a')), slices.of(name('shop/cart'), 'ipv4')]).toEqual([undefined, []])
  })
})

describe('endpoints of a service port', () => {
  const texts = (...of: Parameters<typeof endpointsOf>) => endpointsOf(...of).map(({ text }) => text)

  test('are those of the slices that have its name and protocol, with the port of their own slice', () => {
    const ports = [slicePort(8080, 'http'), slicePort(53, 'dns', 'udp')]
    const all = [
      slice('shop/a', 'shop/cart', [endpoint('10.1.0.2')], { ports }),
      slice('shop/b', 'shop/cart', [endpoint('10.1.0.10')], { ports: [slicePort(9090, 'http')] }),
    ]
    expect(texts(all, 'http', 'tcp')).toEqual(['10.1.0.10:9090', '10.1.0.2:8080'])
    expect(texts(all, 'dns', 'udp')).toEqual(['10.1.0.2:53'])
    expect(texts(all, 'dns', 'tcp')).toEqual([])
    expect(texts(all, '', 'tcp')).toEqual([])
  })

  test('are written with brackets in IPv6', () => {
    expect(texts([slice('shop/a', 'shop/cart', [endpoint('fd00::1')])], '', 'tcp')).toEqual(['[fd00::1]:8080'])
  })

  const READY = {}
  const SERVING = { ready: false, terminating: true }
  const STARTING = { ready: false, serving: false }
  const ENDED = { ready: false, serving: false, terminating: true }

  test.each([
    { as: 'ready', better: READY, than: 'terminating and serving', worse: SERVING },
    { as: 'ready', better: READY, than: 'not ready', worse: STARTING },
    { as: 'not ready, but there to stay', better: STARTING, than: 'terminating and serving', worse: SERVING },
    { as: 'terminating and serving', better: SERVING, than: 'terminating', worse: ENDED },
  ])('in two slices count as $as, not as $than, whichever slice came first', ({ better, worse }) => {
    const [good, bad] = [better, worse].map(more => endpoint('10.1.0.1', more))
    for (const [first, second] of [
      [good!, bad!],
      [bad!, good!],
    ] as const) {
      const slices = [slice('shop/a', 'shop/cart', [first]), slice('shop/b', 'shop/cart', [second])]
      expect(endpointsOf(slices, '', 'tcp')).toEqual([{ ...good, port: 8080, text: '10.1.0.1:8080' }])
    }
  })
})
