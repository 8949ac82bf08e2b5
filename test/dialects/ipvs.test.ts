import { describe, expect, test } from 'vitest'
import {
  deleteReal,
  deleteServer,
  QUIET,
  realLine,
  savedServers,
  serverLine,
  serverOptions,
  splitHostPort,
  stickySecondsOf,
  WORKING,
} from '#dialects/ipvs.ts'

const WEB = { protocol: 'tcp', at: '10.96.0.10:80' } as const
const DNS = { protocol: 'udp', at: '[fd10:96::53]:53' } as const
const SIGNALS = { protocol: 'sctp', at: '10.96.0.90:90' } as const

describe('lines for ipvsadm', () => {
  test('make, change and remove servers, and who stands behind them', () => {
    expect(serverLine('A', WEB, '-s rr')).toBe('-A -t 10.96.0.10:80 -s rr')
    expect(serverLine('E', DNS, '-s rr -p 10')).toBe('-E -u [fd10:96::53]:53 -s rr -p 10')
    expect(realLine('a', SIGNALS, '10.1.0.4:9000', WORKING)).toBe(
      '-a --sctp-service 10.96.0.90:90 -r 10.1.0.4:9000 -m -w 1',
    )
    expect(deleteReal(WEB, '10.1.0.4:8080')).toBe('-d -t 10.96.0.10:80 -r 10.1.0.4:8080')
    expect(deleteServer(SIGNALS)).toBe('-D --sctp-service 10.96.0.90:90')
  })

  test.each([
    [{ scheduler: 'rr' }, '-s rr', undefined],
    [{ scheduler: 'wlc', stickySeconds: 10800 }, '-s wlc -p 10800', 10800],
    [{ scheduler: 'mh' }, '-s mh -b mh-port', undefined],
    [{ scheduler: 'mh', stickySeconds: 7 }, '-s mh -p 7 -b mh-port', 7],
  ])('say how clients are dealt out: %j', (asked, options, sticky) => {
    expect(serverOptions(asked)).toBe(options)
    expect(stickySecondsOf(options)).toBe(sticky)
  })
})

describe('what ipvsadm prints', () => {
  test('is what it was given, line by line', () => {
    const lines = [
      serverLine('A', WEB, '-s rr'),
      realLine('a', WEB, '10.1.0.4:8080', WORKING),
      realLine('a', WEB, '10.1.0.5:8080', QUIET),
      serverLine('A', DNS, '-s rr -p 10'),
      realLine('a', DNS, '[fd00::4]:53', WORKING),
      serverLine('A', SIGNALS, '-s rr'),
    ]
    expect(savedServers(`${lines.join('\n')}\n`)).toEqual([
      { what: 'server', server: WEB, options: '-s rr' },
      { what: 'real', server: WEB, real: '10.1.0.4:8080', options: WORKING },
      { what: 'real', server: WEB, real: '10.1.0.5:8080', options: QUIET },
      { what: 'server', server: DNS, options: '-s rr -p 10' },
      { what: 'real', server: DNS, real: '[fd00::4]:53', options: WORKING },
      { what: 'server', server: SIGNALS, options: '-s rr' },
    ])
  })

  test('spells addresses as we do', () => {
    const [server, real] = savedServers('-A -t [fd10::0:10]:80 -s rr\n-a -t [fd10::0:10]:80 -r [fd00:0::4]:80 -m -w 1')
    expect(server!.server.at).toBe('[fd10::10]:80')
    expect(real).toMatchObject({ server: { at: '[fd10::10]:80' }, real: '[fd00::4]:80' })
  })

  test('holds servers that can never be ours, and lines of other times', () => {
    expect(savedServers('-A -f 7 -s rr\n-a -f 7 -r 10.0.0.1:0 -g -w 1\nIP Virtual Server version 1.2.1\n\n')).toEqual(
      [],
    )
  })
})

test('an address and port is split into the two', () => {
  expect(splitHostPort('10.96.0.10:80')).toEqual({ ip: '10.96.0.10', port: 80 })
  expect(splitHostPort('[fd10::10]:443')).toEqual({ ip: 'fd10::10', port: 443 })
  expect(splitHostPort('nowhere:1').ip).toBe(undefined)
})
