import { expect, test } from 'vitest'
import { forgetFlows, listFlows } from '#dialects/conntrack.ts'
import { LIST_ADDRESSES } from '#dialects/ip.ts'
import { named, plainlyNamed, restoreInto, saveAll, saveTable } from '#dialects/iptables.ts'
import { applyLines, listTable } from '#dialects/nft.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { observedKernel } from '#proxy/agent/observed-kernel.ts'
import type { Command } from '#system/ports.ts'
import type { RanCommand } from '#telemetry/numbers/tally.ts'
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

/** What is counted of a command. */
async function counted(command: Command, code = 0): Promise<RanCommand> {
  const clock = new PaperClock()
  const ran: RanCommand[] = []
  const kernel = {
    run: async () => {
      await clock.advance(40)
      return { code, stdout: 'out', stderr: '' }
    },
  }
  const outcome = await observedKernel(
    kernel,
    () => clock.now(),
    one => ran.push(one),
  ).run(command)
  expect(outcome).toEqual({ code, stdout: 'out', stderr: '' })
  expect(ran).toHaveLength(1)
  return ran[0]!
}

test('a restore is counted with its family, its time, its end and its rules', async () => {
  const tools = { family: 'ipv6', variant: 'nft', restore: '/usr/sbin/ip6tables-nft-restore', save: '' } as const
  const command = restoreInto(tools, DOCUMENT)
  expect(await counted(command, 4)).toEqual({
    program: 'ip6tables-nft-restore',
    family: 'ipv6',
    does: 'restore',
    rules: { filter: 2, nat: 2 },
    tookMs: 40,
    code: 4,
  })
})

test.each([
  ['iptables-legacy-save', 'look', 'ipv4', saveAll(named('ipv4', 'legacy'))],
  ['ip6tables-save', 'look', 'ipv6', saveAll(plainlyNamed('ipv6', 'nft'))],
  ['iptables-nft-save', 'look', 'ipv4', saveTable(named('ipv4', 'nft'), 'mangle')],
  ['nft', 'look', 'ipv6', listTable('ipv6', 'kube-proxy')],
  ['nft', 'look', 'ipv4', listTable('ipv4', 'kube-proxy')],
  ['nft', 'write', undefined, applyLines(['add table ip kube-proxy'])],
  ['ip', 'other', undefined, LIST_ADDRESSES],
  ['conntrack', 'conntrack', 'ipv6', listFlows('ipv6', 'udp')],
] as const)('%s is counted as %s of %s', async (program, does, family, command) => {
  expect(await counted(command)).toEqual({
    ...{ program, does, rules: {}, tookMs: 40, code: 0 },
    ...(family !== undefined && { family }),
  })
})

test('forgetting connections is counted as such, however it is done', async () => {
  const flow = { to: ip('10.0.0.2'), toPort: 53, answeredBy: ip('10.1.0.1') }
  const command = forgetFlows([{ ...flow, protocol: 'udp', answeredByPort: 53 }], 'ipv4')
  expect(await counted(command)).toMatchObject({ program: 'conntrack', does: 'conntrack', family: 'ipv4' })
})
