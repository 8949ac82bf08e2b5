import { expect, test } from 'vitest'
import { forgetFlows, listFlows } from '#dialects/conntrack.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { observedKernel } from '#proxy/agent/observed-kernel.ts'
import { ruleCounts, rulesWritten } from '#proxy/agent/rule-counts.ts'
import type { Command } from '#system/ports.ts'
import type { Ran } from '#telemetry/numbers/tally.ts'
import { ip } from '../../support/objects.ts'

const DOCUMENT = `*filter
:KUBE-SERVICES - [0:0]
-A KUBE-SERVICES -j DROP
-I INPUT -j KUBE-SERVICES
COMMIT
*nat
:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
-A KUBE-SVC-AAAAAAAAAAAAAAAA -j ACCEPT
-D OUTPUT -j KUBE-OLD
-X KUBE-OLD
COMMIT
*nat
-A KUBE-SVC-AAAAAAAAAAAAAAAA -m comment --comment "-A *filter" -j ACCEPT
COMMIT
`

/** What is told of a command. */
async function told(command: Command, code = 0): Promise<Ran> {
  const clock = new PaperClock()
  const heard: Ran[] = []
  const kernel = {
    run: async () => {
      await clock.advance(40)
      return { code, stdout: 'out', stderr: '' }
    },
  }
  const outcome = await observedKernel(
    kernel,
    () => clock.now(),
    ran => heard.push(ran),
  ).run(command)
  expect(outcome).toEqual({ code, stdout: 'out', stderr: '' })
  expect(heard).toHaveLength(1)
  return heard[0]!
}

test('a restore is told with its family, its time, its end and its rules', async () => {
  const command: Command = { argv: ['/usr/sbin/ip6tables-nft-restore', '--noflush'], input: DOCUMENT }
  expect(await told(command, 4)).toEqual({
    program: 'ip6tables-nft-restore',
    family: 'ipv6',
    does: 'restore',
    rules: { filter: 2, nat: 2 },
    tookMs: 40,
    code: 4,
  })
})

test.each([
  [['iptables-legacy-save'], 'look', 'ipv4'],
  [['ip6tables-save'], 'look', 'ipv6'],
  [['nft', '-j', 'list', 'table', 'ip6', 'kube-proxy'], 'look', 'ipv6'],
  [['nft', '-j', 'list', 'table', 'ip', 'kube-proxy'], 'look', 'ipv4'],
  [['nft', '-f', '-'], 'else', undefined],
  [['ip', '-j', 'address'], 'else', undefined],
  [listFlows('ipv6', 'udp'), 'conntrack', 'ipv6'],
] as const)('%j is told as %s of %s', async (argv, does, family) => {
  expect(await told({ argv: argv as Command['argv'] })).toMatchObject({ does, ...(family !== undefined && { family }) })
})

test('forgetting connections is told as such, however it is done', async () => {
  const flow = { from: ip('10.0.0.1'), fromPort: 1, to: ip('10.0.0.2'), toPort: 53, answeredBy: ip('10.1.0.1') }
  const command = forgetFlows([{ ...flow, protocol: 'udp', answeredByPort: 53 }], 'ipv4')
  expect(await told(command)).toMatchObject({ program: 'conntrack', does: 'conntrack', family: 'ipv4' })
})

test('rules are counted where they stand: those of chains by lines, and each line of ours elsewhere', () => {
  const rules = new Map([
    ['nat KUBE-SVC-AAAAAAAAAAAAAAAA', '-A one\n-A two\n-A three'],
    ['nat KUBE-MARK-MASQ', ''],
    ['nat -A PREROUTING -j KUBE-SERVICES', ''],
    ['filter KUBE-FORWARD', '-A one'],
    ['mangle KUBE-PROXY-CANARY', ''],
  ])
  expect(ruleCounts(rules)).toEqual({ filter: 1, nat: 4 })
})

test('a document without an end, or without anything, is counted as far as it goes', () => {
  expect(rulesWritten('')).toEqual({})
  expect(rulesWritten('*nat\n-A x')).toEqual({ nat: 1 })
})
