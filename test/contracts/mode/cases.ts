import { port } from '../../support/objects.ts'
import { type CasePacket, type Given, NODE_PORT, WITH_NODE_PORT } from './scene.ts'

// The cases of the mode contract: a Service, a node, and where packets end, evenly where there are several ends.

export interface ModeCase {
  readonly title: string
  readonly given: Given
  readonly expects: readonly (readonly [CasePacket, ...ends: readonly string[]])[]
}

const BOTH = ['pod here', 'pod there'] as const
const BOTH_MASQUERADED = ['pod here masqueraded', 'pod there masqueraded'] as const

const atNodePort = (from: CasePacket['from'], to: CasePacket['to'] = 'node'): CasePacket => ({
  from,
  to,
  port: NODE_PORT,
})

export const MODE_CASES: readonly ModeCase[] = [
  {
    title: 'a cluster IP leads evenly to all endpoints, and only clients outside the pod range are masqueraded',
    given: {},
    expects: [
      [{ from: 'client', to: 'cluster IP' }, ...BOTH],
      [{ from: 'outside', to: 'cluster IP' }, ...BOTH_MASQUERADED],
      [{ from: 'node', to: 'cluster IP' }, ...BOTH_MASQUERADED],
    ],
  },
  {
    title: 'every client is masqueraded at a cluster IP where that is asked for',
    given: { masquerade: 'all' },
    expects: [[{ from: 'client', to: 'cluster IP' }, ...BOTH_MASQUERADED]],
  },
  {
    title: 'no client is masqueraded at a cluster IP where pods cannot be detected',
    given: { masquerade: 'never' },
    expects: [[{ from: 'outside', to: 'cluster IP' }, ...BOTH]],
  },
  {
    title: 'local pods are known by their interface where that is asked for',
    given: { view: () => ({ localPods: { by: 'interface-prefix', prefix: 'cni' } }) },
    expects: [
      [{ from: 'client', to: 'cluster IP' }, ...BOTH],
      [{ from: 'outside', to: 'cluster IP' }, ...BOTH_MASQUERADED],
      [{ from: 'node', to: 'cluster IP' }, ...BOTH_MASQUERADED],
    ],
  },
  {
    title: 'a pod that reaches itself through its Service is masqueraded',
    given: {},
    expects: [[{ from: 'pod here', to: 'cluster IP' }, 'pod here masqueraded', 'pod there']],
  },
  {
    title: 'every external address leads to all endpoints, and every client is masqueraded there',
    given: {
      service: ({ ip }) => ({
        ...WITH_NODE_PORT,
        externalIPs: [ip('external IP')],
        loadBalancerIPs: [ip('load balancer')],
      }),
    },
    expects: (['client', 'outside', 'node'] as const).flatMap(from => [
      [{ from, to: 'external IP' }, ...BOTH_MASQUERADED],
      [{ from, to: 'load balancer' }, ...BOTH_MASQUERADED],
      [atNodePort(from), ...BOTH_MASQUERADED],
      [atNodePort(from, 'second address'), ...BOTH_MASQUERADED],
    ]),
  },
  {
    title: 'node ports answer only at the addresses that are named',
    given: { service: () => WITH_NODE_PORT, view: ({ ip }) => ({ nodePortAddresses: [ip('node')] }) },
    expects: [
      [atNodePort('outside'), ...BOTH_MASQUERADED],
      [atNodePort('outside', 'second address'), 'untouched'],
    ],
  },
  {
    title: 'node ports do not answer on loopback',
    given: { service: () => WITH_NODE_PORT },
    expects: [[atNodePort('node', 'loopback'), 'untouched']],
  },
  {
    title:
      'external policy Local keeps clients from outside on this node, unmasqueraded, and sends pods and the node everywhere',
    given: {
      service: ({ ip }) => ({
        ...WITH_NODE_PORT,
        type: 'NodePort',
        externalPolicy: 'Local',
        externalIPs: [ip('external IP')],
      }),
    },
    expects: [
      [{ from: 'outside', to: 'external IP' }, 'pod here'],
      [atNodePort('outside'), 'pod here'],
      [atNodePort('client'), ...BOTH],
      [atNodePort('node'), ...BOTH_MASQUERADED],
      [{ from: 'client', to: 'cluster IP' }, ...BOTH],
    ],
  },
  {
    title: 'external policy Local drops clients from outside where no endpoint is on this node',
    given: {
      service: () => ({ ...WITH_NODE_PORT, type: 'NodePort', externalPolicy: 'Local' }),
      endpoints: ['pod there'],
    },
    expects: [
      [atNodePort('outside'), 'dropped'],
      [atNodePort('client'), 'pod there'],
      [atNodePort('node'), 'pod there masqueraded'],
    ],
  },
  {
    title: 'internal policy Local keeps every client on this node, or drops it',
    given: { service: () => ({ internalPolicy: 'Local' }) },
    expects: [
      [{ from: 'client', to: 'cluster IP' }, 'pod here'],
      [{ from: 'outside', to: 'cluster IP' }, 'pod here masqueraded'],
    ],
  },
  {
    title: 'internal policy Local drops where no endpoint is on this node',
    given: { service: () => ({ internalPolicy: 'Local' }), endpoints: ['pod there'] },
    expects: [
      [{ from: 'client', to: 'cluster IP' }, 'dropped'],
      [{ from: 'node', to: 'cluster IP' }, 'dropped'],
    ],
  },
  {
    title: 'a Service without endpoints is refused at every frontend',
    given: { service: ({ ip }) => ({ ...WITH_NODE_PORT, externalIPs: [ip('external IP')] }), endpoints: [] },
    expects: [
      [{ from: 'client', to: 'cluster IP' }, 'rejected'],
      [{ from: 'node', to: 'cluster IP' }, 'rejected'],
      [{ from: 'outside', to: 'external IP' }, 'rejected'],
      [atNodePort('outside'), 'rejected'],
    ],
  },
  {
    title: 'the node itself is refused at an external address without endpoints',
    given: { service: ({ ip }) => ({ externalIPs: [ip('external IP')] }), endpoints: [] },
    expects: [[{ from: 'node', to: 'external IP' }, 'rejected']],
  },
  {
    title: 'an undefined port of a cluster IP is refused',
    given: {},
    expects: [
      [{ from: 'client', to: 'cluster IP', port: 81 }, 'rejected'],
      [{ from: 'node', to: 'cluster IP', port: 81 }, 'rejected'],
      [{ from: 'client', to: 'cluster IP', protocol: 'udp' }, 'rejected'],
    ],
  },
  {
    title: 'each protocol has its own ports',
    given: { service: () => ({ ports: [port({ name: 'udp', port: 80, protocol: 'udp' })] }) },
    expects: [[{ from: 'client', to: 'cluster IP', protocol: 'udp' }, ...BOTH]],
  },
  {
    title: 'source ranges keep other clients from load balancer addresses, and from no other frontend',
    given: {
      service: ({ ip, range }) => ({
        ...WITH_NODE_PORT,
        type: 'LoadBalancer',
        externalIPs: [ip('external IP')],
        loadBalancerIPs: [ip('load balancer')],
        sourceRanges: [range('outside')],
      }),
    },
    expects: [
      [{ from: 'outside', to: 'load balancer' }, ...BOTH_MASQUERADED],
      [{ from: 'client', to: 'load balancer' }, 'dropped'],
      [{ from: 'node', to: 'load balancer' }, 'dropped'],
      [{ from: 'client', to: 'external IP' }, ...BOTH_MASQUERADED],
      [atNodePort('client'), ...BOTH_MASQUERADED],
    ],
  },
  {
    title: 'a node inside a source range may come with the load balancer address as its own',
    given: {
      service: ({ ip, range }) => ({
        type: 'LoadBalancer',
        loadBalancerIPs: [ip('load balancer')],
        sourceRanges: [range('nodes')],
      }),
    },
    expects: [[{ from: 'load balancer', to: 'load balancer' }, ...BOTH_MASQUERADED]],
  },
  {
    title: 'a client that returns in time reaches the same endpoint, at every frontend',
    given: { service: () => ({ ...WITH_NODE_PORT, stickySeconds: 60 }) },
    expects: [
      [{ from: 'client', to: 'cluster IP', last: { at: 'pod there', secondsAgo: 30 } }, 'pod there'],
      [{ ...atNodePort('outside'), last: { at: 'pod there', secondsAgo: 30 } }, 'pod there masqueraded'],
      [{ from: 'client', to: 'cluster IP', last: { at: 'pod there', secondsAgo: 90 } }, ...BOTH],
      [{ from: 'client', to: 'cluster IP', last: { at: 'outside', secondsAgo: 30 } }, ...BOTH],
    ],
  },
]
