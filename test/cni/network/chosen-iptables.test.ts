import { expect, test } from 'vitest'
import { chosenIptables } from '#cni/network/chosen-iptables.ts'
import { anyCommand } from '#lab/any-command.ts'
import type { Kernel } from '#system/ports.ts'

/** A host that has these programs, each with what it prints. */
function hostWith(programs: Readonly<Record<string, string>>): { readonly host: Kernel; readonly ran: string[] } {
  const ran: string[] = []
  const host: Kernel = {
    run: async ({ argv: [program, ...words] }) => {
      ran.push([program, ...words].join(' '))
      const stdout = programs[program]
      return stdout === undefined ? { code: 127, stdout: '', stderr: 'no' } : { code: 0, stdout, stderr: '' }
    },
  }
  return { host, ran }
}

const HINTED = '*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n'
const nothing: Kernel = { run: async () => ({ code: 0, stdout: 'done', stderr: '' }) }

test('the plain programs are those of the variant that the host uses, chosen once for each family', async () => {
  const { host, ran } = hostWith({ 'iptables-legacy-save': HINTED, 'ip6tables-nft-save': '' })
  const [done, choices]: [string[], string[]] = [[], []]
  const kernel = chosenIptables(
    {
      run: async ({ argv }) => {
        done.push(argv.join(' '))
        return { code: 0, stdout: '', stderr: '' }
      },
    },
    { ask: host, chosen: (family, { why }) => choices.push(`${family}: ${why}`) },
  )
  await Promise.all([
    kernel.run(anyCommand(['iptables', '-t', 'nat', '-S'])),
    kernel.run(anyCommand(['iptables-restore', '--noflush'])),
  ])
  const asked = ran.length
  await kernel.run(anyCommand(['iptables-save']))
  expect(ran).toHaveLength(asked)
  await kernel.run(anyCommand(['ip6tables-restore']))
  await kernel.run(anyCommand(['nft', 'list', 'tables']))
  await kernel.run(anyCommand(['iptables-nft-save']))
  expect(done.toSorted()).toEqual([
    'ip6tables-nft-restore',
    'iptables-legacy -t nat -S',
    'iptables-legacy-restore --noflush',
    'iptables-legacy-save',
    'iptables-nft-save',
    'nft list tables',
  ])
  expect(choices).toHaveLength(2)
})

test('a host without iptables ends as if the program were not there, and is asked again', async () => {
  const { host, ran } = hostWith({})
  const kernel = chosenIptables(nothing, { ask: host })
  const outcome = await kernel.run(anyCommand(['iptables-restore']))
  expect(outcome).toMatchObject({ code: 127, stderr: expect.stringContaining('install the package iptables') })
  const before = ran.length
  await kernel.run(anyCommand(['iptables-restore']))
  expect(ran.length).toBe(2 * before)
})
