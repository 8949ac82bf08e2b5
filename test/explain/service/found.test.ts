import { expect, test } from 'vitest'
import { frontendOf, servicesAt } from '#explain/service/found.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import { endpoint, ip, port, service, slice } from '../../support/objects.ts'
import { asked, FROM_POD, found } from './stage.ts'

// The frontend that a packet goes to, by the objects alone.

const CART = service('shop/cart', ['10.96.0.10', 'fd00:96::10'], {
  created: 2,
  type: 'LoadBalancer',
  ports: [
    port({ name: 'http', port: 80, nodePort: 30_080 }),
    port({ name: 'dns', port: 53, protocol: 'udp', nodePort: 30_053 }),
  ],
  externalIPs: [ip('198.18.1.1')],
  loadBalancerIPs: [ip('198.18.2.1')],
})
const LATER = service('shop/later', ['10.96.0.11'], {
  created: 3,
  ports: [port({ port: 80 }), port({ name: 'more', port: 81 })],
  externalIPs: [ip('198.18.1.1')],
})
const OBJECTS = [CART, LATER, slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2')])]
const NODE_IP = '192.0.2.1'

const at = (to: string, number: number, protocol: 'tcp' | 'udp' = 'tcp', view: Partial<NodeView> = {}) => {
  const { port: of, frontend } = found(OBJECTS, { ...FROM_POD, to: ip(to), port: number, protocol }, view) ?? {}
  return of && frontend && `${frontend.kind} of ${of.id}`
}

test.each([
  ['10.96.0.10', 80, 'tcp', 'cluster-ip of shop/cart:http'],
  ['fd00:96::10', 80, 'tcp', 'cluster-ip of shop/cart:http'],
  ['10.96.0.10', 53, 'udp', 'cluster-ip of shop/cart:dns'],
  ['10.96.0.10', 53, 'tcp', undefined],
  ['10.96.0.10', 30_080, 'tcp', undefined],
  ['198.18.2.1', 80, 'tcp', 'load-balancer of shop/cart:http'],
  ['198.18.1.1', 81, 'tcp', 'external-ip of shop/later:more'],
  [NODE_IP, 30_080, 'tcp', 'node-port of shop/cart:http'],
  [NODE_IP, 30_080, 'udp', undefined],
  ['192.0.2.2', 30_080, 'tcp', undefined],
] as const)('%s:%d/%s is the frontend %s', (to, number, protocol, frontend) => {
  expect(at(to, number, protocol)).toBe(frontend)
})

test('an address that two Services name is that of the older one', () => {
  expect(at('198.18.1.1', 80)).toBe('external-ip of shop/cart:http')
  expect(servicesAt(asked(OBJECTS).cluster, { to: ip('198.18.1.1') }).map(({ name }) => name)).toEqual([
    'shop/cart',
    'shop/later',
  ])
})

test('an address of the node that a Service has is the frontend of that Service, not a node port', () => {
  const own = service('shop/own', ['10.96.0.12'], { externalIPs: [ip(NODE_IP)], ports: [port({ port: 30_080 })] })
  const frontend = found([...OBJECTS, own], { ...FROM_POD, to: ip(NODE_IP), port: 30_080 })
  expect(frontend?.port.id).toBe('shop/own')
})

test('node ports answer at the addresses that settings name', () => {
  expect(at(NODE_IP, 30_080, 'tcp', { nodePortAddresses: [ip(NODE_IP)] })).toBe('node-port of shop/cart:http')
  expect(at(NODE_IP, 30_080, 'tcp', { nodePortAddresses: [] })).toBeUndefined()
})

test('at loopback they answer where the mode leads packets from there', () => {
  expect(at('127.0.0.5', 30_080)).toBeUndefined()
  expect(at('127.0.0.5', 30_080, 'tcp', { localhostNodePorts: true })).toBe('node-port of shop/cart:http')
  const packet = { ...FROM_POD, to: ip('127.0.0.1'), port: 30_080 }
  expect(frontendOf(asked(OBJECTS), packet, { needs: { relay: true } })?.frontend.kind).toBe('node-port')
})

test('its endpoints are those of its port and family', () => {
  expect(found(OBJECTS, FROM_POD)?.endpoints).toEqual([])
  const named = slice('shop/cart-2', 'shop/cart', [endpoint('10.244.1.3', { ready: false })], {
    ports: [{ name: CART.ports[0]!.name, protocol: 'tcp', port: 8080 }],
  })
  expect(found([...OBJECTS, named], FROM_POD)?.endpoints).toMatchObject([{ text: '10.244.1.3:8080', ready: false }])
  expect(found([...OBJECTS, named], { ...FROM_POD, to: ip('fd00:96::10') })?.endpoints).toEqual([])
})
