import { describe, expect, test } from 'vitest'
import { flowsOf, forgetFlows, forgetFlowsOf, forgetFlowsTo, listFlows, listFlowsOf } from '#dialects/conntrack.ts'
import { ip } from '../support/objects.ts'

describe('the connections that are printed', () => {
  test('have the destination that was asked for, and the address that answers', () => {
    const listing = [
      'tcp      6 118 SYN_SENT src=10.0.0.9 dst=10.96.0.10 sport=40000 dport=80 [UNREPLIED] src=10.244.1.3 dst=10.0.0.9 sport=8080 dport=40000 mark=0 use=1',
      'udp      17 29 src=10.0.0.9 dst=10.96.0.11 sport=5353 dport=53 src=10.244.1.4 dst=10.0.0.9 sport=5300 dport=5353 [ASSURED] mark=0 use=2',
      'udp      17 29 src=fd00::9 dst=fd10:96::10 sport=5353 dport=53 packets=1 bytes=60 [UNREPLIED] src=fd00:1::4 dst=fd00::9 sport=53 dport=5353 packets=0 bytes=0 mark=0 zone=3 use=1',
    ]
    expect(flowsOf(`${listing.join('\n')}\n`)).toEqual([
      { protocol: 'tcp', to: '10.96.0.10', toPort: 80, answeredBy: '10.244.1.3', answeredByPort: 8080 },
      { protocol: 'udp', to: '10.96.0.11', toPort: 53, answeredBy: '10.244.1.4', answeredByPort: 5300 },
      { protocol: 'udp', to: 'fd10:96::10', toPort: 53, answeredBy: 'fd00:1::4', answeredByPort: 53 },
    ])
  })

  test.each([
    '',
    'conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.',
    'icmp     1 29 src=10.0.0.9 dst=10.96.0.10 type=8 code=0 id=1 src=10.96.0.10 dst=10.0.0.9 type=0 code=0 id=1 mark=0 use=1',
    'udp      17 29 src=10.0.0.9 dst=10.96.0.400 sport=1 dport=53 src=10.244.1.4 dst=10.0.0.9 sport=53 dport=1 mark=0 use=1',
    'udp      17 29 src=10.0.0.9 dst=10.96.0.11 sport=1 dport=53 src=10.244.1.4',
  ])('are not those in other lines: %s', line => expect(flowsOf(line)).toEqual([]))
})

describe('the command', () => {
  test('asks of TCP only for what has no answer so far', () => {
    expect(listFlows('ipv6', 'tcp').argv.join(' ')).toBe('conntrack -L -f ipv6 -p tcp --state SYN_SENT')
    expect(listFlows('ipv4', 'sctp').argv.join(' ')).toBe('conntrack -L -f ipv4 -p sctp')
  })

  test('asks for what a client has begun, by what is known of it', () => {
    const from = ip('fd00::9')
    expect(listFlowsOf({ protocol: 'tcp', from }).argv.join(' ')).toBe('conntrack -L -f ipv6 -p tcp --orig-src fd00::9')
    const asked = { protocol: 'udp', from: ip('10.0.0.9'), fromPort: 1, to: ip('10.96.0.1'), toPort: 53 } as const
    expect(listFlowsOf(asked).argv.slice(6)).toEqual([
      ...['--orig-src', '10.0.0.9', '--orig-port-src', '1', '--orig-dst', '10.96.0.1', '--orig-port-dst', '53'],
    ])
  })

  test('deletes all connections between two ends by one line, and is always the same script', () => {
    const flow = {
      protocol: 'udp',
      to: ip('10.96.0.1'),
      toPort: 53,
      answeredBy: ip('10.244.1.4'),
      answeredByPort: 5300,
    } as const
    const { argv, input } = forgetFlows([flow, { ...flow }, { ...flow, protocol: 'tcp' }], 'ipv4')
    expect(argv).toEqual(['sh', '-c', 'cat | conntrack -R -'])
    const ends = '--orig-dst 10.96.0.1 --orig-port-dst 53 --reply-src 10.244.1.4 --reply-port-src 5300'
    expect(input).toBe(`-D -f ipv4 -p udp ${ends}\n-D -f ipv4 -p tcp --state SYN_SENT ${ends}\n`)
  })

  test('deletes those to a port, and those of an address in both directions', () => {
    expect(forgetFlowsTo([53, 80], 'ipv4').input).toBe(
      '-D -f ipv4 -p udp --orig-port-dst 53\n-D -f ipv4 -p udp --orig-port-dst 80\n',
    )
    expect(forgetFlowsOf([ip('fd00::9')], 'ipv6').input).toBe(
      '-D -f ipv6 --orig-src fd00::9\n-D -f ipv6 --reply-src fd00::9\n',
    )
  })
})
