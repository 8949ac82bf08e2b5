import { expect, test } from 'vitest'
import { commandNetworks } from '#cni/network/networks.ts'
import { type Command, type Kernel, NOT_FOUND, type Outcome } from '#system/ports.ts'

// What commands are asked for, and what is made of answers that no kernel test brings about.

function answering(outcome: Partial<Outcome>): Kernel & { readonly asked: Command[] } {
  const asked: Command[] = []
  const run = async (command: Command): Promise<Outcome> => {
    asked.push(command)
    return { code: 0, stdout: '', stderr: '', ...outcome }
  }
  return { asked, run }
}

test('a path without a slash is a path all the same: `ip` would take it for a name, or for a process', async () => {
  const kernel = answering({})
  await commandNetworks(kernel).open('4711')
  await commandNetworks(kernel).open('/run/netns/blue')
  await commandNetworks(kernel).open()
  const words = kernel.asked.map(({ argv }) => argv.join(' '))
  expect(words).toEqual([
    'nsenter --net=./4711 ip -Version',
    'nsenter --net=/run/netns/blue ip -Version',
    'ip -Version',
  ])
})

test.each(['/run/netns/blue', undefined])('a node without iproute2 is said to be one: %s', async path => {
  const kernel = answering({ code: NOT_FOUND, stderr: 'ip: not found in PATH' })
  await expect(commandNetworks(kernel).open(path)).rejects.toThrow(
    'cannot see a network: ip: not found in PATH (ENOSYS)',
  )
})
