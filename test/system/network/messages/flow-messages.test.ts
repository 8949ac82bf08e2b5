import fc from 'fast-check'
import { expect, test } from 'vitest'
import { commandFlows } from '#proxy/sync/flows/command-flows.ts'
import { addressBytes } from '#system/netlink/address-bytes.ts'
import { attribute, byteAttribute, nest } from '#system/netlink/message.ts'
import { deletionsOf, listFlows } from '#system/network/messages/flow-messages.ts'
import type { Kernel, StaleFlows } from '#system/ports.ts'
import { staleTracked, type Tracked, tracked } from '../../../support/tracked.ts'

// The same connections are deleted over netlink as by the `conntrack` command.

const PROTOCOLS = { tcp: 6, udp: 17, sctp: 132 } as const
const STATES = { SYN_SENT: 1, SYN_RECV: 2, ESTABLISHED: 3, CLOSE: 8 } as const
const NESTED = 0x8000

test('what is stale in a list over netlink is what the command is asked to delete', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(tracked(), { maxLength: 40 }), staleTracked(), async (all, stale) => {
      expect(await byMessages(all, stale)).toEqual(await byCommand(all, stale))
    }),
    { numRuns: 500 },
  )
})

test('few ports are asked for by a list each, more by one list of all ports', () => {
  const isStale = () => true
  const lists = (count: number) => {
    const ports = new Set(Array.from({ length: count }, (_, n) => n + 1))
    return listFlows({ family: 'ipv4', protocol: 'udp', by: 'toPort', ports, isStale }).map(({ stale }) => [
      ...stale.ports,
    ])
  }
  expect(lists(2)).toEqual([[1], [2]])
  expect(lists(3)).toEqual([[1, 2, 3]])
})

/** Numbers of those that a message deletes, in the order of the kernel's table. */
async function byMessages(all: readonly Tracked[], stale: StaleFlows): Promise<readonly number[]> {
  const read = listFlows(stale).map(list => deletionsOf(list.stale))
  return all.flatMap((one, n) => {
    if (one.family !== stale.family) return []
    const found = read.flatMap(deletions => deletions(bodyOf(one, n)))
    // None is deleted twice, and each by the tuple and the number it has.
    for (const { attributes } of found)
      expect(Buffer.concat(attributes!)).toEqual(Buffer.concat([original(one), idOf(n)]))
    return found.map(() => n)
  })
}

async function byCommand(all: readonly Tracked[], stale: StaleFlows): Promise<readonly number[]> {
  let lines: readonly string[] = []
  const kernel: Kernel = {
    async run({ argv, input = '' }) {
      if (argv[0] === 'conntrack') return { code: 0, stdout: listing(all, stale), stderr: '' }
      lines = input.split('\n').filter(line => line !== '')
      return { code: 0, stdout: '', stderr: '' }
    },
  }
  await commandFlows(kernel).forget(stale)
  return all.flatMap((one, n) => (isAsked(one, stale) && lines.some(line => says(line, one)) ? [n] : []))
}

/** What the command lists: of TCP, half open connections alone. */
function listing(all: readonly Tracked[], stale: StaleFlows): string {
  return all
    .filter(one => isAsked(one, stale))
    .map(({ protocol, state, from, fromPort, to, toPort, answeredBy, answeredByPort }) => {
      const head = `${protocol} ${PROTOCOLS[protocol]} 29${protocol === 'tcp' ? ` ${state}` : ''}`
      const reply = `src=${answeredBy} dst=${from} sport=${answeredByPort} dport=${fromPort}`
      return `${head} src=${from} dst=${to} sport=${fromPort} dport=${toPort} [UNREPLIED] ${reply} mark=0 use=1\n`
    })
    .join('')
}

function isAsked(one: Tracked, { family, protocol }: StaleFlows): boolean {
  return one.family === family && one.protocol === protocol && (protocol !== 'tcp' || one.state === 'SYN_SENT')
}

function says(line: string, { to, toPort, answeredBy, answeredByPort }: Tracked): boolean {
  const ends = `--orig-dst ${to} --orig-port-dst ${toPort} --reply-src ${answeredBy} --reply-port-src ${answeredByPort}`
  return line.endsWith(` ${ends}`)
}

/** A connection as the kernel lists it. */
function bodyOf(one: Tracked, n: number): Buffer {
  const { family, protocol, from, fromPort, answeredBy, answeredByPort } = one
  const header = Buffer.from([family === 'ipv4' ? 2 : 10, 0, 0, 0])
  const reply = tuple(2, protocol, { source: [answeredBy, answeredByPort], destination: [from, fromPort] })
  const state = nest(4 | NESTED, [nest(1 | NESTED, [byteAttribute(1, STATES[one.state])])])
  return Buffer.concat([header, original(one), reply, ...(protocol === 'tcp' ? [state] : []), idOf(n)])
}

function original({ protocol, from, fromPort, to, toPort }: Tracked): Buffer {
  return tuple(1, protocol, { source: [from, fromPort], destination: [to, toPort] })
}

type End = readonly [Tracked['to'], number]

function tuple(
  type: number,
  protocol: Tracked['protocol'],
  { source, destination }: Record<'source' | 'destination', End>,
) {
  const [from, to] = [addressBytes(source[0]), addressBytes(destination[0])]
  const first = from.length === 4 ? 1 : 3
  const addresses = nest(1 | NESTED, [attribute(first, from), attribute(first + 1, to)])
  const ports = [byteAttribute(1, PROTOCOLS[protocol]), portOf(2, source[1]), portOf(3, destination[1])]
  return nest(type | NESTED, [addresses, nest(2 | NESTED, ports)])
}

function portOf(type: number, port: number): Buffer {
  return attribute(type, Buffer.from([port >> 8, port & 255]))
}

function idOf(n: number): Buffer {
  return attribute(12, Buffer.from([0, 0, n >> 8, n & 255]))
}
