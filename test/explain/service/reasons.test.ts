import { describe, expect, test } from 'vitest'
import type { AskedPacket } from '#explain/service/found.ts'
import { conditionOf, isInside, refusalReason, type SourceQuestion, sourceReason } from '#explain/service/reasons.ts'
import type { Service, SliceEndpoint } from '#kubernetes/objects.ts'
import type { LocalPods, NodeView } from '#proxy/desired/node-view.ts'
import { cidr, endpoint, ip, port, service, slice } from '../../support/objects.ts'
import { FROM_OUTSIDE, FROM_POD, found, VIEW } from './stage.ts'

// Why a packet is refused at a frontend, and what its endpoint sees as the source.

const IPTABLES = { name: 'iptables', needs: {} } as const
const RELAY = { name: 'userspace', needs: { relay: true } } as const
const FROM_NODE: AskedPacket = { ...FROM_POD, from: ip('192.0.2.1'), via: { hook: 'output' } }
const HERE = endpoint('10.244.1.2', { nodeName: 'one' })
const THERE = endpoint('10.244.2.2', { nodeName: 'two' })

function cart(endpoints: readonly SliceEndpoint[], more: Partial<Service> = {}) {
  const outward = { type: 'LoadBalancer', loadBalancerIPs: [ip('198.18.1.1')] } as const
  return [service('shop/cart', ['10.96.0.10'], { ...outward, ...more }), slice('shop/cart-1', 'shop/cart', endpoints)]
}

describe('why it is refused', () => {
  const refused = (objects: ReturnType<typeof cart>, packet: AskedPacket, view: Partial<NodeView> = {}) => {
    const reason = refusalReason(found(objects, packet, view)!, packet, { view: { ...VIEW, ...view }, mode: IPTABLES })
    return reason && `${reason.code}: ${reason.text}`
  }

  test('there are no endpoints', () => {
    expect(refused(cart([]), FROM_POD)).toBe(
      'no-endpoints: shop/cart has no endpoints: its EndpointSlices name none for this port (does its selector match a pod?)',
    )
  })

  test('none is ready, and which condition each has', () => {
    const off = { ready: false, serving: false }
    expect(
      refused(cart([endpoint('10.244.1.2', off), endpoint('10.244.1.3', { ...off, terminating: true })]), FROM_POD),
    ).toBe(
      'none-ready: none of the 2 endpoints of shop/cart is ready: 10.244.1.2:8080 not ready, 10.244.1.3:8080 terminating',
    )
  })

  test('of many that are not ready, five are named', () => {
    const many = Array.from({ length: 7 }, (_, n) => endpoint(`10.244.1.${n}`, { ready: false, serving: false }))
    expect(refused(cart(many), FROM_POD)).toMatch(/10\.244\.1\.4:8080 not ready, and 2 more$/)
    expect(refused(cart(many.slice(0, 5)), FROM_POD)).toMatch(/10\.244\.1\.4:8080 not ready$/)
  })

  test('internalTrafficPolicy is Local, and no endpoint is here', () => {
    expect(refused(cart([THERE], { internalPolicy: 'Local' }), FROM_POD)).toBe(
      'none-here: internalTrafficPolicy of shop/cart is Local, and none of its 1 endpoint is on this node (they are on two)',
    )
    expect(refused(cart([THERE, HERE], { internalPolicy: 'Local' }), FROM_POD)).toBeUndefined()
  })

  test('externalTrafficPolicy is Local, and no endpoint is here: for clients from outside only', () => {
    const objects = cart([THERE], { externalPolicy: 'Local' })
    expect(refused(objects, FROM_OUTSIDE)).toMatch(/^none-here: externalTrafficPolicy of shop\/cart is Local, /)
    expect(refused(objects, { ...FROM_POD, to: FROM_OUTSIDE.to })).toBeUndefined()
    expect(refused(objects, { ...FROM_NODE, to: FROM_OUTSIDE.to })).toBeUndefined()
  })

  test('the source is in no range of the load balancer', () => {
    const objects = cart([HERE], { sourceRanges: [cidr('198.51.100.0/24')] })
    expect(refused(objects, FROM_OUTSIDE)).toBe(
      'source-range: loadBalancerSourceRanges of shop/cart are 198.51.100.0/24: 203.0.113.7 is in none of them',
    )
    expect(refused(objects, { ...FROM_OUTSIDE, from: ip('198.51.100.9') })).toBeUndefined()
    // The cluster IP is not the load balancer's.
    expect(refused(objects, FROM_POD)).toBeUndefined()
  })

  test('the node itself may come from the address of the load balancer where a range has the node', () => {
    const objects = cart([HERE], { sourceRanges: [cidr('192.0.2.0/24')] })
    const packet = { ...FROM_NODE, to: FROM_OUTSIDE.to, from: FROM_OUTSIDE.to }
    const frontend = found(objects, packet)!
    const mode = { view: VIEW, mode: IPTABLES }
    expect(refusalReason(frontend, packet, mode)?.code).toBe('source-range')
    const sourceAddresses = [FROM_OUTSIDE.to]
    const allowed = { ...frontend, frontend: { ...frontend.frontend, sourceAddresses } }
    expect(refusalReason(allowed, packet, mode)).toBeUndefined()
  })
})

test.each<[LocalPods | undefined, AskedPacket, boolean]>([
  [{ by: 'cidr', cidr: cidr('10.244.0.0/16') }, FROM_POD, true],
  [{ by: 'cidr', cidr: cidr('10.244.0.0/16') }, FROM_OUTSIDE, false],
  [{ by: 'interface', name: 'cni0' }, FROM_POD, true],
  [{ by: 'interface', name: 'cni' }, FROM_POD, false],
  [{ by: 'interface-prefix', prefix: 'cni' }, FROM_POD, true],
  [{ by: 'interface-prefix', prefix: 'veth' }, FROM_POD, false],
  [undefined, FROM_POD, false],
  [undefined, FROM_NODE, true],
])('where pods are known by %j, %j is inside: %s', (localPods, packet, inside) => {
  expect(isInside(packet, localPods === undefined ? {} : { localPods })).toBe(inside)
})

test.each([
  [{}, 'ready'],
  [{ ready: false }, 'not ready'],
  [{ ready: false, terminating: true }, 'terminating, still serving'],
  [{ ready: false, serving: false, terminating: true }, 'terminating'],
])('an endpoint with %j is %s', (conditions, word) => {
  expect(conditionOf({ ...endpoint('10.244.1.2', conditions), port: 80, text: '10.244.1.2:80' })).toBe(word)
})

describe('the source that the endpoint sees', () => {
  type Question = Partial<SourceQuestion> & { readonly objects?: ReturnType<typeof cart>; readonly at?: string }
  const why = (packet: AskedPacket, masqueraded: boolean, { objects = cart([HERE]), at, ...more }: Question = {}) =>
    sourceReason({
      end: { to: 'endpoint', endpoint: at ?? '10.244.1.2:8080', masqueraded },
      ...{ found: found(objects, packet), packet, view: VIEW, mode: IPTABLES },
      ...more,
    })
  const local = { objects: cart([HERE], { externalPolicy: 'Local' }) }
  const toBalancer = { ...FROM_POD, to: FROM_OUTSIDE.to }

  test.each<[string, string | undefined, string]>([
    ['of the node', why(FROM_NODE, false), 'the endpoint sees 192.0.2.1: this node sent it'],
    ['of a pod', why(FROM_POD, false), 'the endpoint sees 10.244.1.9: it comes from a pod of this cluster'],
    [
      'of a client where the policy is Local',
      why(FROM_OUTSIDE, false, local),
      'the endpoint sees 203.0.113.7: externalTrafficPolicy is Local',
    ],
    [
      'where no setting says what a pod is',
      why(FROM_OUTSIDE, false, { view: {} }),
      'the endpoint sees 203.0.113.7: no setting says which clients are pods (--cluster-cidr, --detect-local-mode), so none is rewritten',
    ],
  ])('is kept: that %s', (_, text, line) => {
    expect(text).toBe(line)
  })

  test.each<[string, string | undefined, string]>([
    ['a relay', why(FROM_POD, true, { mode: RELAY }), 'the relay of userspace mode opens the second connection itself'],
    [
      'a pod that reaches itself',
      why({ ...FROM_POD, from: ip('10.244.1.2') }, true),
      'the pod reaches itself, and would drop an answer that comes straight from its own address',
    ],
    [
      'the node, from an address that is no pod’s',
      why(FROM_NODE, true),
      "this node sent it from an address that is no pod's, and the answer must come back through it",
    ],
    [
      'a client at a cluster IP',
      why({ ...FROM_OUTSIDE, to: FROM_POD.to }, true),
      'it comes from outside of the pods, and the answer must come back through this node',
    ],
    [
      'a pod at an address for outside',
      why(toBalancer, true, local),
      'it comes from inside of the cluster to an address for outside, and may leave this node again',
    ],
    [
      'a client where the policy is Cluster',
      why(FROM_OUTSIDE, true),
      'externalTrafficPolicy is Cluster: the answer must come back through this node',
    ],
  ])('is rewritten for %s', (_, text, line) => {
    expect(text).toMatch(/^the endpoint sees an address of this node, not /)
    expect(text).toContain(`: ${line}`)
  })

  test('is rewritten where --masquerade-all is set', () => {
    const objects = cart([HERE])
    const all = found(objects, FROM_POD, { masquerade: 'all' })
    expect(why(FROM_POD, true, { found: all })).toMatch(/: --masquerade-all is set$/)
  })

  test('a pod that reaches one whose address only begins like its own reaches another', () => {
    expect(why({ ...FROM_OUTSIDE, from: ip('10.244.1.2') }, true, { at: '10.244.1.22:8080' })).not.toMatch(/itself/)
    const six = { ...FROM_OUTSIDE, from: ip('fd00:244::2') }
    expect(why(six, true, { at: '[fd00:244::2]:80' })).toMatch(/the pod reaches itself/)
  })

  test('is not spoken of where no endpoint is reached', () => {
    expect(why(FROM_POD, false, { end: { to: 'rejected' } })).toBeUndefined()
    expect(why(FROM_POD, false, { end: { to: 'untouched', masqueraded: true } })).toBeUndefined()
  })
})

test('a port with a name is called by it', () => {
  const named = service('shop/cart', ['10.96.0.10'], { ports: [port({ name: 'http', port: 80 })] })
  const reason = refusalReason(found([named], FROM_POD)!, FROM_POD, { view: VIEW, mode: IPTABLES })
  expect(reason?.text).toMatch(/^shop\/cart:http has no endpoints: /)
})
