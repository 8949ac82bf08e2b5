import { describe, expect, test } from 'vitest'
import { DhcpExchange, type Exchanged } from '#cni/plugins/dhcp/exchange.ts'
import { frameOf } from '#cni/plugins/dhcp/frame.ts'
import { OPTION } from '#cni/plugins/dhcp/message.ts'
import type { DhcpLease } from '#ipam/leases/dhcp/dhcp-book.ts'
import { answerFrame, PaperClock, PaperLink, seconds } from './paper-server.ts'

type Answering = (question: Buffer, count: number) => readonly Buffer[]

function exchange(reply: Answering) {
  const [link, clock] = [new PaperLink(reply), new PaperClock()]
  let number = 100
  const config = { wanted: [1, 3], provided: new Map([[61, Buffer.from('\0me')]]) }
  return { link, clock, exchange: new DhcpExchange({ link, clock, config, random: () => ++number }) }
}

/** The kind of a question, at the first place of its options. */
const kindOf = (frame: Buffer): number => frame[14 + 20 + 8 + 242]!
const DISCOVER = 1

const wellBehaved: Answering = question => [
  answerFrame(question, {
    kind: kindOf(question) === DISCOVER ? 'OFFER' : 'ACK',
    options: new Map([[51, seconds(600)]]),
  }),
]

async function leased(): Promise<DhcpLease> {
  const got = await exchange(wellBehaved).exchange.acquire(60_000)
  if (got.outcome !== 'granted') throw new Error(got.why)
  return got.lease
}

describe('an exchange', () => {
  test('takes the offer', async () => {
    const { link, exchange: asking } = exchange(wellBehaved)
    expect(await asking.acquire(60_000)).toMatchObject({ outcome: 'granted', lease: { address: '10.9.0.5' } })
    expect(link.sent.map(kindOf)).toEqual([1, 3])
  })

  test('asks again after two seconds, then after twice as long', async () => {
    const times: number[] = []
    const { clock, exchange: asking } = exchange((question, count) => {
      times.push(clock.now() - 1_000_000)
      return count < 4 ? [] : wellBehaved(question, count)
    })
    expect(await asking.acquire(60_000)).toMatchObject({ outcome: 'granted' })
    expect(times.slice(0, 4)).toEqual([0, 2000, 6000, 14_000])
  })

  test('ends when time is up', async () => {
    const { clock, exchange: asking } = exchange(() => [])
    expect(await asking.acquire(60_000)).toEqual({ outcome: 'silent', why: 'no DHCP server answered within 60 s' })
    expect(clock.now() - 1_000_000).toBeLessThanOrEqual(60_010)
  })

  test('answers to other clients and other questions are passed over', async () => {
    const { exchange: asking } = exchange(question => [
      answerFrame(question, { transaction: 5 }),
      answerFrame(question, { hardware: Buffer.from('020000000099', 'hex') }),
      answerFrame(question, { kind: 'NAK', transaction: 6 }),
      ...wellBehaved(question, 1),
    ])
    expect(await asking.acquire(60_000)).toMatchObject({ outcome: 'granted' })
  })

  test('frames that never end do not keep it from ending, nor others from having a turn', async () => {
    const { link, clock, exchange: asking } = exchange(() => [])
    let inOneTurn = 0
    link.receive = () => {
      if (++inOneTurn > 10_000) throw new Error('no end of one turn')
      return Buffer.alloc(60)
    }
    const sleep = clock.sleep.bind(clock)
    clock.sleep = async ms => {
      inOneTurn = 0
      await sleep(ms)
    }
    expect(await asking.renew(await leased(), 100)).toMatchObject({ outcome: 'silent' })
  })

  test('refused once, it asks anew', async () => {
    let refusals = 1
    const { link, exchange: asking } = exchange(question =>
      kindOf(question) !== DISCOVER && refusals-- > 0
        ? [answerFrame(question, { kind: 'NAK' })]
        : wellBehaved(question, 1),
    )
    expect(await asking.acquire(60_000)).toMatchObject({ outcome: 'granted' })
    expect(link.sent.map(kindOf)).toEqual([1, 3, 1, 3])
  })

  test('an offer without a mask says why it is of no use', async () => {
    const { exchange: asking } = exchange(question => [
      answerFrame(question, { options: new Map([[OPTION.subnetMask, Buffer.alloc(0)]]) }),
    ])
    expect(await asking.acquire(60_000)).toMatchObject({
      outcome: 'useless',
      why: expect.stringContaining('subnet mask'),
    })
  })

  test('an offer that can be used is taken beside one that cannot, whichever comes first', async () => {
    const useless = (question: Buffer) =>
      answerFrame(question, { options: new Map([[OPTION.subnetMask, Buffer.alloc(0)]]) })
    for (const both of [
      (question: Buffer) => [useless(question), ...wellBehaved(question, 1)],
      (question: Buffer) => [...wellBehaved(question, 1), useless(question)],
    ]) {
      const { exchange: asking } = exchange(question =>
        kindOf(question) === DISCOVER ? both(question) : wellBehaved(question, 1),
      )
      expect(await asking.acquire(60_000)).toMatchObject({ outcome: 'granted', lease: { address: '10.9.0.5' } })
    }
  })

  test('a server that always refuses what it has offered is not flooded', async () => {
    const {
      link,
      clock,
      exchange: asking,
    } = exchange(question =>
      kindOf(question) === DISCOVER ? wellBehaved(question, 1) : [answerFrame(question, { kind: 'NAK' })],
    )
    expect(await asking.acquire(60_000)).toMatchObject({ outcome: 'refused' })
    expect(link.sent.length).toBeLessThan(24)
    expect(clock.now() - 1_000_000).toBeLessThan(71_000)
  })

  test('a renewal goes to the server alone, from the address that is renewed', async () => {
    const { link, exchange: asking } = exchange(wellBehaved)
    expect(await asking.renew(await leased(), 10_000)).toMatchObject({ outcome: 'granted' })
    expect(ends(link.sent[0]!)).toEqual(['0200000000ff', '10.9.0.1', '10.9.0.5'])
  })

  test('a rebinding goes to all', async () => {
    const { link, exchange: asking } = exchange(wellBehaved)
    expect(await asking.rebind(await leased(), 10_000)).toMatchObject({ outcome: 'granted' })
    expect(ends(link.sent[0]!)).toEqual(['ffffffffffff', '255.255.255.255', '10.9.0.5'])
  })

  test('a refusal says what the server said, without anything a terminal would act on', async () => {
    const { exchange: asking } = exchange(question => [
      answerFrame(question, { kind: 'NAK', options: new Map([[OPTION.problem, Buffer.from('wrong\u001b[2J net')]]) }),
    ])
    const got: Exchanged = await asking.renew(await leased(), 10_000)
    expect(got).toEqual({ outcome: 'refused', why: 'the DHCP server refused the address: wrong?[2J net' })
  })

  test('a release goes to the server from the address that is given back', async () => {
    const { link, exchange: asking } = exchange(() => [])
    asking.release(await leased())
    expect(kindOf(link.sent[0]!)).toBe(7)
    expect(ends(link.sent[0]!)).toEqual(['0200000000ff', '10.9.0.1', '10.9.0.5'])
  })
})

function ends(bytes: Buffer): readonly unknown[] {
  const asAnswer = Buffer.from(bytes)
  asAnswer.writeUInt16BE(68, 36)
  const frame = frameOf(asAnswer)!
  return [frame.to.hardware.toString('hex'), frame.to.address, frame.from.address]
}
