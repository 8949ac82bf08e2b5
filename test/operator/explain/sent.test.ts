import { describe, expect, test } from 'vitest'
import type { Explanation, SentPacket, Way, WayEnd } from '#explain/answer.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { judged, type SendParts, sentPacket } from '#operator/explain/sent.ts'
import { ip } from '../../support/objects.ts'

// What became of a real packet, beside what was said of it. The packets themselves are sent in kernel/ask/.

const WEB = '10.244.1.2:8080'
const ENDPOINT: WayEnd = { to: 'endpoint', endpoint: WEB, masqueraded: false }
const OTHER: WayEnd = { ...ENDPOINT, endpoint: '10.244.2.2:8080' }
const REJECTED: WayEnd = { to: 'rejected' }
const DROPPED: WayEnd = { to: 'dropped' }
const UNTOUCHED: WayEnd = { to: 'untouched', masqueraded: false }
const RULES: SendParts['mode'] = { needs: {} }
const RELAY: SendParts['mode'] = { needs: { relay: true } }

const PACKET: SendParts['packet'] = {
  ...{ protocol: 'tcp', from: ip('10.244.1.9'), to: ip('10.96.0.10'), port: 80, nodeAddresses: [] },
  via: { hook: 'output' },
}

function parts(ends: readonly WayEnd[], more: Partial<SendParts> = {}): SendParts {
  const ways = ends.map((end): Way => ({ share: 1 / ends.length, hops: [], end, after: [] }))
  const explanation = { ways } as unknown as Explanation
  return { packet: PACKET, explanation, mode: RULES, kernel: new PaperKernel(), clock: new PaperClock(), ...more }
}

type Seen = readonly [SentPacket['outcome'], string?]

describe('it is as explained', () => {
  test.each<[string, readonly WayEnd[], SendParts['mode'], Seen, boolean]>([
    ['an endpoint answers', [ENDPOINT, OTHER], RULES, ['answered', OTHER.endpoint], true],
    // What a program of the pod refuses has arrived.
    ['an endpoint refuses', [ENDPOINT], RULES, ['refused', WEB], true],
    ['an endpoint is silent', [ENDPOINT], RULES, ['silence', WEB], true],
    ['another pod answers', [ENDPOINT], RULES, ['answered', '10.244.9.9:8080'], false],
    ['it is refused although there are endpoints', [ENDPOINT], RULES, ['refused'], false],
    ['it is refused, as was said', [REJECTED], RULES, ['refused'], true],
    ['it is dropped, and was to be refused', [REJECTED], RULES, ['silence'], false],
    ['it is dropped, as was said', [DROPPED], RULES, ['silence'], true],
    ['it is answered, and was to be dropped', [DROPPED], RULES, ['answered', '10.96.0.10:80'], false],
    ['no rule is about it', [UNTOUCHED], RULES, ['unreachable'], true],
    ['the relay answers', [ENDPOINT], RELAY, ['answered', '10.96.0.10:80'], true],
    ['the relay refuses', [ENDPOINT], RELAY, ['refused'], false],
    ['there is no endpoint, and the relay answers', [REJECTED], RELAY, ['answered'], false],
  ])('where %s: %j in %j, %j is %s', (_, ends, mode, [outcome, answeredBy], asExplained) => {
    expect(judged({ outcome }, answeredBy, parts(ends, { mode }))).toMatchObject({ outcome, asExplained })
  })
})

describe('the line', () => {
  const line = (...[outcome, answeredBy]: Seen) => judged({ outcome }, answeredBy, parts([ENDPOINT])).text

  test('says what answered, where that is not the address itself', () => {
    expect(line('answered', WEB)).toBe('Sent: A real connection was answered by way of 10.244.1.2:8080, as explained.')
    expect(line('refused', '10.96.0.10:80')).toBe(
      'Sent: A real connection was refused, NOT as explained: "switchyard verify" names rules that differ.',
    )
    expect(line('silence')).toMatch(/^Sent: A real connection got no answer within 3 s, NOT/)
  })

  test('calls UDP a datagram', () => {
    const packet = { ...PACKET, protocol: 'udp' } as const
    expect(judged({ outcome: 'unreachable' }, undefined, parts([UNTOUCHED], { packet })).text).toBe(
      'Sent: A real datagram found no way there, as explained.',
    )
  })
})

test('SCTP is not sent', async () => {
  const packet = { ...PACKET, protocol: 'sctp' } as const
  await expect(sentPacket(parts([ENDPOINT], { packet }))).rejects.toThrow('--send: SCTP is not sent; tcp and udp are')
})
