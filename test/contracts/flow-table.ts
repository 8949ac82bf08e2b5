import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import type { Flow, FlowTable, StaleFlows } from '#system/ports.ts'
import { type Address, FAMILIES, type Family } from '#values/address.ts'
import { type Namespace, newNamespace } from '../kernel/namespace.ts'
import { ip } from '../support/objects.ts'
import { staleTracked, type Tracked, tracked } from '../support/tracked.ts'

// What a FlowTable promises, on the real kernel: over netlink, and by the `conntrack` command where netlink is refused.

const NOTHING: StaleFlows = { family: 'ipv4', protocol: 'udp', by: 'toPort', ports: new Set(), isStale: () => true }
const HOSTS = {
  ipv4: { client: ip('10.9.0.2'), service: ip('10.96.0.10'), first: ip('10.244.1.3'), second: ip('10.244.1.4') },
  ipv6: { client: ip('fd00:9::2'), service: ip('fd00:96::a'), first: ip('fd00:244:1::3'), second: ip('fd00:244:1::4') },
} as const
const SECONDS = 600

export function flowTableContract(name: string, open: (namespace: Namespace) => FlowTable): void {
  describe(`${name}: connections the kernel tracks`, () => {
    let namespace: Namespace
    let table: FlowTable
    beforeEach(async () => {
      namespace = await newNamespace('flows')
      table = open(namespace)
    })
    afterEach(() => namespace.end())

    const forget = (stale: Partial<StaleFlows>): Promise<number> => table.forget({ ...NOTHING, ...stale })
    const track = async (...all: readonly Tracked[]): Promise<void> => {
      const input = all.map(one => `-I ${wordsOf(one)} --timeout ${SECONDS}\n`).join('')
      await must(namespace.kernel, anyCommand(['sh', '-c', 'cat | conntrack -R -'], { input }))
    }
    /** The clients' ports of those that are still there. */
    const left = async (family: Family = 'ipv4'): Promise<readonly number[]> => {
      const { stdout } = await must(namespace.kernel, anyCommand(['conntrack', '-L', '-f', family]))
      const ports = stdout.split('\n').flatMap(line => / sport=(\d+)/.exec(line)?.[1] ?? [])
      return ports.map(Number).sort((a, b) => a - b)
    }
    const flow = (client: number, more: Partial<Tracked> = {}): Tracked => {
      const { client: from, service: to, first } = HOSTS[more.family ?? 'ipv4']
      const where = { from, to, toPort: 53, answeredBy: first, answeredByPort: 5353 }
      return { family: 'ipv4', protocol: 'udp', state: 'SYN_SENT', fromPort: client, ...where, ...more }
    }

    test.each(FAMILIES)('go where they are stale, and all others stay, of %s', async family => {
      const { first, second, service } = HOSTS[family]
      await track(flow(1, { family }), flow(2, { family, answeredBy: second }), flow(3, { family, toPort: 54 }))
      const seen: Flow[] = []
      const isStale = (one: Flow): boolean => seen.push(one) > 0 && one.answeredBy === second
      for (const count of [1, 0]) {
        expect(await forget({ family, ports: new Set([53]), isStale })).toBe(count)
        expect(await left(family)).toEqual([1, 3])
      }
      const one = { protocol: 'udp', to: service, toPort: 53, answeredBy: first, answeredByPort: 5353 }
      expect(seen).toContainEqual(one)
      expect(new Set(seen.map(({ toPort }) => toPort))).toEqual(new Set([53]))
    })

    test('go by the port that answers, too', async () => {
      await track(flow(1), flow(2, { answeredByPort: 30_000 }), flow(3, { toPort: 5353, answeredByPort: 30_001 }))
      expect(await forget({ by: 'answeredByPort', ports: new Set([5353, 30_001]) })).toBe(2)
      expect(await left()).toEqual([2])
    })

    test('of TCP go before they are answered alone', async () => {
      const tcp = (client: number, state: Tracked['state']): Tracked => flow(client, { protocol: 'tcp', state })
      await track(tcp(1, 'SYN_SENT'), tcp(2, 'SYN_RECV'), tcp(3, 'ESTABLISHED'), tcp(4, 'CLOSE'), flow(5))
      expect(await forget({ protocol: 'tcp', ports: new Set([53]) })).toBe(1)
      expect(await left()).toEqual([2, 3, 4, 5])
    })

    test('go by very many ports, whatever else there is', async () => {
      await track(
        flow(1),
        flow(2, { toPort: 999 }),
        flow(3, { toPort: 65_535 }),
        flow(4, { protocol: 'tcp', state: 'SYN_SENT' }),
      )
      const ports = new Set(Array.from({ length: 500 }, (_, n) => 65_535 - n))
      expect(await forget({ ports: new Set([...ports, 53]) })).toBe(2)
      expect(await left()).toEqual([2, 4])
      expect(await forget({ protocol: 'tcp', ports: new Set([...ports, 53]) })).toBe(1)
      expect(await left()).toEqual([2])
    })

    test('go where there are many, and all callers are served who ask at once', async () => {
      const clients = Array.from({ length: 2000 }, (_, n) => 10_000 + n)
      const { first, second } = HOSTS.ipv4
      await track(...clients.map(client => flow(client, { answeredBy: client % 2 === 0 ? first : second })))
      const of = (pod: Address) => ({ ports: new Set([53]), isStale: ({ answeredBy }: Flow) => answeredBy === pod })
      expect(await forget(of(first))).toBe(1000)
      expect(await left()).toEqual(clients.filter(client => client % 2 === 1))
      await track(flow(1, { toPort: 99 }), flow(2, { family: 'ipv6' }))
      const all = [
        forget(of(second)),
        forget({ ports: new Set([99]) }),
        forget({ family: 'ipv6', ports: new Set([53]) }),
      ]
      expect(await Promise.all(all)).toEqual([1000, 1, 1])
      expect([await left(), await left('ipv6')]).toEqual([[], []])
    })

    test('go as they should, and no others, whatever there is', { timeout: 120_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(tracked(), { maxLength: 60 }), staleTracked(), async (all, stale) => {
          // Every kernel makes connections of UDP and TCP; no two have the same ends.
          const known = all.filter(({ protocol }) => protocol !== 'sctp')
          const own = known.map((one, n) => ({ ...one, fromPort: 1000 + n }))
          await track(...own)
          const going = own.filter(one => {
            const isAsked = one.family === stale.family && one.protocol === stale.protocol
            const isOpen = one.protocol !== 'tcp' || one.state === 'SYN_SENT'
            return isAsked && isOpen && stale.ports.has(one[stale.by]) && stale.isStale(one)
          })
          expect(await forget(stale)).toBe(going.length)
          const there = [...(await left('ipv4')), ...(await left('ipv6'))].sort((a, b) => a - b)
          expect(there).toEqual(own.filter(one => !going.includes(one)).map(({ fromPort }) => fromPort))
          for (const family of FAMILIES) await namespace.kernel.run(anyCommand(['conntrack', '-F', '-f', family]))
        }),
        { numRuns: 15 },
      )
    })

    test('cannot go where the kernel cannot be asked, which is an error', async () => {
      const nowhere = open({
        ...namespace,
        name: 'nowhere',
        kernel: { run: async () => ({ code: 1, stdout: '', stderr: 'no' }) },
      })
      await expect(nowhere.forget({ ...NOTHING, ports: new Set([53]) })).rejects.toThrow()
    })
  })
}

function wordsOf({ protocol, state, from, fromPort, to, toPort, answeredBy, answeredByPort }: Tracked): string {
  const ends = `-s ${from} -d ${to} -r ${answeredBy} -q ${from}`
  const asked = `--orig-port-src=${fromPort} --orig-port-dst=${toPort}`
  const reply = `--reply-port-src=${answeredByPort} --reply-port-dst=${fromPort}`
  const more =
    protocol === 'tcp' ? [`--state ${state}`, ...(state === 'ESTABLISHED' ? ['-u SEEN_REPLY,ASSURED'] : [])] : []
  return [ends, '-p', protocol, asked, reply, ...more].join(' ')
}
