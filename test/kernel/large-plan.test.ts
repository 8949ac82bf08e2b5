import { describe, expect, test } from 'vitest'
import { named } from '#dialects/iptables.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import { BASE_OWNER, Book } from '#proxy/plan/book.ts'
import { diff, EMPTY } from '#proxy/plan/diff.ts'
import { carryOut } from '#proxy/sync/carry-out.ts'
import type { Kernel } from '#system/ports.ts'
import { cidr, ip, name } from '../support/objects.ts'
import { whyNot } from './ground.ts'
import { newNamespace } from './namespace.ts'

// A cluster that is written in portions: the kernel has all of it in the end, also where a portion is refused on the way.

const VIEW: NodeView = {
  family: 'ipv4',
  mark: 0x4000,
  localPods: { by: 'cidr', cidr: cidr('10.128.0.0/9') },
  nodePortAddresses: 'all',
  localhostNodePorts: false,
  masquerade: 'from-outside',
  dropInvalid: true,
  endpointComments: false,
  dispatch: 'tree',
}

const ENDPOINTS = 10

function endpoint(n: number): Endpoint {
  const address = ip(`10.${128 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`)
  return { ip: address, port: 8080, text: `${address}:8080`, local: false }
}

function traffic(i: number): ServiceTraffic {
  const address = ip(`10.96.${i >> 8}.${i & 255}`)
  const cluster = Array.from({ length: ENDPOINTS }, (_, e) => endpoint(i * ENDPOINTS + e))
  return {
    id: `shop/service-${i}:http`,
    service: name(`shop/service-${i}`),
    protocol: 'tcp',
    frontends: [{ kind: 'cluster-ip', ip: address, port: 80, verdict: { to: 'pool', pool: 'cluster' }, admits: 'all' }],
    pools: { cluster, local: [] },
    masquerade: 'from-outside',
  }
}

function rulesOf(mode: Mode, services: number): Ruleset {
  const book = new Book()
  book.put(BASE_OWNER, mode.base(VIEW))
  for (let i = 0; i < services; i++) book.put(`${i}`, mode.service(traffic(i), VIEW))
  return book.rules
}

/** Its second command is refused. */
function failingOnce(kernel: Kernel): Kernel {
  let commands = 0
  return { run: command => (++commands === 2 ? Promise.resolve(REFUSED) : kernel.run(command)) }
}

const REFUSED = { code: 1, stdout: '', stderr: 'refused' }

const why = await whyNot(['ip', 'iptables', 'nft'])

describe.skipIf(why !== undefined)(`a very large plan${why ? ` (skipped: ${why})` : ''}`, () => {
  test.each([
    ['iptables', iptables(named('ipv4', 'nft')), 2000],
    ['nftables', nftables({ family: 'ipv4', chainRemoval: 'at-once' }), 9000],
  ] as const)(
    'stands whole, however many portions it takes (%s)',
    async (_, mode, services) => {
      const { kernel, end } = await newNamespace('sy-large')
      try {
        const rules = rulesOf(mode, services)
        const plan = diff(EMPTY, rules)
        expect([...mode.portions!(plan)].length).toBeGreaterThan(2)
        await expect(carryOut(plan, mode, failingOnce(kernel))).rejects.toThrow('refused')
        const rest = diff(await mode.read(kernel), rules)
        expect(rest.add.size).toBeLessThan(plan.add.size)
        expect(rest.remove.size).toBe(0)
        await carryOut(rest, mode, kernel)
        const { add, change, remove } = diff(await mode.read(kernel), rules)
        expect({ add: [...add.keys()], change: [...change.keys()], remove: [...remove] }).toEqual({
          add: [],
          change: [],
          remove: [],
        })
      } finally {
        await end()
      }
    },
    180_000,
  )
})
