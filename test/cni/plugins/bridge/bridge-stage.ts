import { bridge } from '#cni/plugins/bridge/bridge.ts'
import type { PluginParts } from '#cni/plugins/plugin.ts'
import type { CniCommand, CniRequest } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { parseAddress } from '#values/address.ts'
import { FakePlugin, paperMachine } from '../../parts.ts'
import { PaperRuleBook } from '../../repair/paper-rule-book.ts'
import { requestOf } from '../../requests.ts'
import { PaperNetworks } from './paper-network.ts'

// The bridge plugin over a node and a pod on paper, with the rules of both in a kernel on paper.

/** What IPAM gives: an address of either family. */
export const DUAL: CniResult = {
  interfaces: [],
  ips: [
    { address: parseAddress('10.1.0.5')!, prefixLength: 16 },
    { address: parseAddress('fd00:1::5')!, prefixLength: 64 },
  ],
  routes: [],
  dns: { nameservers: ['10.1.0.53'] },
}

export const GATEWAY = { isGateway: true, ipam: { type: 'host-local' } }

export class BridgeStage {
  readonly networks = new PaperNetworks()
  readonly ipam = new FakePlugin('host-local')
  readonly clock = new PaperClock()
  readonly kernel = new PaperKernel()
  readonly parts: PluginParts

  /** Rules that come back after a flush. */
  readonly book = new PaperRuleBook()

  constructor(more: Partial<PluginParts> = {}) {
    this.ipam.result = DUAL
    const asked = (method: 'add' | 'del' | 'check' | 'status' | 'gc') => {
      return (_: string, request: CniRequest) => {
        this.networks.calls.push(`ipam ${method}`)
        return this.ipam[method](request) as Promise<never>
      }
    }
    const delegates = {
      ...{ add: asked('add'), del: asked('del'), check: asked('check'), status: asked('status'), gc: asked('gc') },
    }
    const { networks, clock, kernel } = this
    this.parts = { ...paperMachine(), networks, clock, kernel, delegates, rules: async () => this.book, ...more }
  }

  add(config: object = GATEWAY, container = 'c1'): Promise<CniResult> {
    return bridge.add(this.request('ADD', config, container), this.parts)
  }

  del(config: object = GATEWAY, prevResult?: CniResult): Promise<void> {
    return bridge.del(withPrevious(this.request('DEL', config), prevResult), this.parts)
  }

  check(config: object, prevResult?: CniResult): Promise<void> {
    return bridge.check(withPrevious(this.request('CHECK', config), prevResult), this.parts)
  }

  request(command: CniCommand, config: object, container = 'c1'): CniRequest {
    return requestOf({ command, config, env: { CNI_CONTAINERID: container } })
  }

  /** Moves the clock as long as something waits for it. */
  async passing<T>(work: Promise<T>): Promise<T> {
    let isOver = false
    const over = work.finally(() => {
      isOver = true
    })
    over.catch(() => undefined)
    while (!isOver) {
      await new Promise(resolve => setImmediate(resolve))
      this.clock.advance(50)
    }
    return over
  }

  /** What is there of the pod, besides what it shares with others: the bridge, its addresses, and a node that forwards. */
  async left(): Promise<readonly string[]> {
    const { node, pod } = this.networks
    const links = [...node.found].filter(([, { kind }]) => kind === 'veth').map(([name]) => `node ${name}`)
    const { calls } = this.networks
    const leases = calls.lastIndexOf('ipam add') > calls.lastIndexOf('ipam del')
    return [
      ...links,
      ...[...pod.found.keys()].map(name => `pod ${name}`),
      ...this.kernel
        .dump()
        .split('\n')
        .filter(line => line !== ''),
      ...(await this.book.all('boot')).map(({ kind }) => `kept ${kind}`),
      ...(leases ? ['a lease'] : []),
      ...(this.networks.held === 0 ? [] : [`${this.networks.held} open namespaces`]),
    ]
  }

  /** The name of the pod's port on the node. */
  get port(): string {
    return [...this.networks.node.found.keys()].find(name => name.startsWith('veth'))!
  }
}

function withPrevious(request: CniRequest, prevResult: CniResult | undefined): CniRequest {
  return prevResult === undefined ? request : { ...request, config: { ...request.config, prevResult } }
}
