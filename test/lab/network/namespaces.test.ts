import { expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { addNamespaces, inNamespace, labName, removeNamespaces, sweep } from '#lab/network/namespaces.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'

const done: Outcome = { code: 0, stdout: '', stderr: '' }

function paper(answer: (command: Command) => Partial<Outcome>) {
  const seen: Command[] = []
  const kernel: Kernel = {
    async run(command) {
      seen.push(command)
      return { ...done, ...answer(command) }
    },
  }
  return { kernel, seen }
}

test('a command inside a namespace keeps its input, variables and time limit', async () => {
  const { kernel, seen } = paper(() => ({}))
  const rest = { input: '*nat\nCOMMIT\n', env: { LANG: 'C' }, timeoutMs: 1000 }
  await inNamespace(kernel, 'sy-1-beef-node').run(anyCommand(['iptables-restore', '--noflush'], rest))
  const argv = ['ip', 'netns', 'exec', 'sy-1-beef-node', 'iptables-restore', '--noflush'] as const
  expect(seen).toEqual([anyCommand(argv, rest)])
})

test('a program that is not there is 127 inside a namespace, too', async () => {
  const { kernel } = paper(() => ({ code: 1, stderr: 'exec of "nft" failed: No such file or directory\n' }))
  expect(await inNamespace(kernel, 'x').run(anyCommand(['nft', 'list', 'ruleset']))).toMatchObject({ code: 127 })
})

test('sweeping removes what dead labs left and leaves living ones and foreign namespaces alone', async () => {
  const mine = `${labName(process.pid)}-node`
  const dead = [`${labName(2 ** 22 + 1)}-node`, `${labName(2 ** 22 + 2)}-pod-1`]
  const listing = [`${mine} (id: 0)`, ...dead, 'sy-other-0', 'cni-4711', `my-${dead[0]}`].join('\n')
  const { kernel, seen } = paper(({ argv }) => (argv[2] === 'list' ? { stdout: `${listing}\n` } : {}))
  expect(await sweep(kernel)).toEqual(dead)
  expect(seen.at(-1)?.input).toBe(dead.map(name => `netns del ${name}\n`).join(''))
})

test('where there is nothing to sweep nothing is run but the question', async () => {
  const { kernel, seen } = paper(() => ({}))
  expect(await sweep(kernel)).toEqual([])
  expect(seen).toHaveLength(1)
})

test('a namespace that another process has removed is removed; any other message is trouble', async () => {
  const gone = 'Cannot remove namespace file "/run/netns/a": No such file or directory\nCommand failed -:1\n'
  await removeNamespaces(paper(() => ({ code: 1, stderr: gone })).kernel, ['a'])
  const busy = 'Cannot remove namespace file "/run/netns/a": Device or resource busy\nCommand failed -:1\n'
  await expect(removeNamespaces(paper(() => ({ code: 1, stderr: busy })).kernel, ['a'])).rejects.toThrow(
    'ip exited with 1: Cannot remove namespace file "/run/netns/a": Device or resource busy',
  )
})

test('without the right to make namespaces it says what it takes', async () => {
  const { kernel } = paper(() => ({
    code: 1,
    stderr: 'mkdir /run/netns failed: Permission denied\nCommand failed -:1\n',
  }))
  await expect(addNamespaces(kernel, ['sy-1-beef-node'])).rejects.toThrow(
    'cannot make the network namespaces sy-1-beef-node: mkdir /run/netns failed: Permission denied; ' +
      'it takes root with CAP_SYS_ADMIN (in a container: --privileged) and iproute2',
  )
})
