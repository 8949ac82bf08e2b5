import { describe, expect, test } from 'vitest'
import type { FrontendFlows, Staleness } from '#proxy/desired/flows.ts'
import { type ForgetOptions, forget } from '#proxy/sync/flows/forget.ts'
import type { Flow, FlowTable, StaleFlows } from '#system/ports.ts'
import type { Protocol } from '#values/protocol.ts'
import { ip } from '../../../support/objects.ts'

const ENDPOINT = '10.1.0.1:53'
const UNLESS: Staleness = { unless: new Set([ENDPOINT]) }

function frontend(at: string | undefined, more: Partial<FrontendFlows> = {}): FrontendFlows {
  return { protocol: 'udp', ...(at !== undefined && { ip: ip(at) }), port: 53, stale: UNLESS, ...more }
}

function flow(to: string, answeredBy = ENDPOINT, toPort = 53, protocol: Protocol = 'udp'): Flow {
  const [at, port] = answeredBy.split(':')
  return { protocol, to: ip(to), toPort, answeredBy: ip(at!), answeredByPort: Number(port) }
}

/** Of these flows, those that are forgotten; and what the kernel was asked. */
async function forgotten(
  frontends: readonly FrontendFlows[],
  flows: readonly Flow[],
  more: Partial<ForgetOptions> = {},
) {
  const asked: StaleFlows[] = []
  const gone: Flow[] = []
  const table: FlowTable = {
    forget: async stale => {
      asked.push(stale)
      const some = flows.filter(
        one => one.protocol === stale.protocol && stale.ports.has(one.toPort) && stale.isStale(one),
      )
      gone.push(...some)
      return some.length
    },
  }
  const pending = new Map(frontends.map((one, i) => [`${i}`, one]))
  const count = await forget(table, { pending, family: 'ipv4', nodeAddresses: [ip('10.99.0.2')], ...more })
  expect(count).toBe(gone.length)
  return { gone, asked: asked.map(({ protocol, ports }) => [protocol, ...ports]) }
}

describe('a flow is forgotten', () => {
  const stale = flow('10.96.0.10', '10.1.0.9:53')

  test('at a frontend that stands, where none of its endpoints answers it', async () => {
    const { gone } = await forgotten([frontend('10.96.0.10')], [flow('10.96.0.10'), stale])
    expect(gone).toEqual([stale])
  })

  test('at a frontend that is gone, where its rules had made it', async () => {
    const only: Staleness = { only: new Set([ENDPOINT]) }
    const { gone } = await forgotten([frontend('10.96.0.10', { stale: only })], [flow('10.96.0.10'), stale])
    expect(gone).toEqual([flow('10.96.0.10')])
  })

  test('never at another address, port or protocol', async () => {
    const others = [
      flow('10.96.0.11', '10.1.0.9:53'),
      flow('10.96.0.10', '10.1.0.9:53', 54),
      { ...stale, protocol: 'sctp' } as const,
    ]
    expect((await forgotten([frontend('10.96.0.10'), frontend('10.96.0.9', { port: 54 })], others)).gone).toEqual([])
  })

  test('at a node port of any address of this node, and of no other', async () => {
    const here = flow('10.99.0.2', '10.1.0.9:53')
    expect((await forgotten([frontend(undefined)], [here, flow('10.99.0.3', '10.1.0.9:53')])).gone).toEqual([here])
  })

  test('by what an address of the node itself is a frontend of, before node ports', async () => {
    const own = frontend('10.99.0.2', { stale: { unless: new Set(['10.1.0.9:53']) } })
    expect((await forgotten([own, frontend(undefined)], [flow('10.99.0.2', '10.1.0.9:53')])).gone).toEqual([])
  })

  test('by the listener that answers it, where one does', async () => {
    const byName = frontend('10.96.0.10', { stale: { unless: new Set(['udp a/b']) } })
    const listenerOf = ({ answeredByPort }: Flow) => (answeredByPort === 40_001 ? 'udp a/b' : undefined)
    const ours = flow('10.96.0.10', '10.99.0.2:40001')
    expect((await forgotten([byName], [ours, stale], { listenerOf })).gone).toEqual([stale])
  })
})

test('the kernel is asked once for each protocol that has frontends, with their ports', async () => {
  const frontends = [
    frontend('10.96.0.10'),
    frontend('10.96.0.11', { port: 54 }),
    frontend('10.96.0.12', { protocol: 'tcp', port: 80 }),
  ]
  expect((await forgotten(frontends, [])).asked).toEqual([
    ['udp', 53, 54],
    ['tcp', 80],
  ])
  expect((await forgotten([], [])).asked).toEqual([])
})

test('a kernel that refuses is no success', async () => {
  const table: FlowTable = { forget: () => Promise.reject(new Error('no')) }
  const options = { pending: new Map([['a', frontend('10.96.0.10')]]), family: 'ipv4', nodeAddresses: [] } as const
  await expect(forget(table, options)).rejects.toThrow('no')
})
