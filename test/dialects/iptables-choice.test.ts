import { describe, expect, test } from 'vitest'
import { chooseTools } from '#dialects/iptables-choice.ts'
import type { Kernel } from '#system/ports.ts'

/** A host that has these programs, each with what it prints. */
function host(programs: Readonly<Record<string, string>>): Kernel {
  return {
    run: async ({ argv }) => {
      const stdout = programs[argv.join(' ')] ?? programs[argv[0]]
      return stdout === undefined
        ? { code: 127, stdout: '', stderr: `${argv[0]}: not found` }
        : { code: 0, stdout, stderr: '' }
    },
  }
}

const rules = (n: number): string => `*filter\n${'-A INPUT -j ACCEPT\n'.repeat(n)}COMMIT\n`
const HINT = '*mangle\n:KUBE-IPTABLES-HINT - [0:0]\nCOMMIT\n'
const CANARY = '*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n'

describe('of two iptables on one host', () => {
  test.each([
    ["kubelet's hint chain decides, against any number of rules", HINT, rules(50), 'nft'],
    ["so does kubelet's canary", rules(50), CANARY, 'legacy'],
    ['else the one with more rules', rules(2), rules(3), 'legacy'],
    ['and nft where they are even', rules(3), rules(3), 'nft'],
    ['or where neither has any', rules(0), rules(0), 'nft'],
  ])('%s', async (_, nft, legacy, chosen) => {
    const kernel = host({ 'iptables-nft-save': nft, 'iptables-legacy-save': legacy })
    const { tools, why } = await chooseTools(kernel, 'ipv4')
    expect(tools.variant).toBe(chosen)
    expect(tools.restore).toBe(`iptables-${chosen}-restore`)
    expect(why).toMatch(/hint chain|rules/)
  })
})

test("where kubelet's hint is with nft, nothing else need be read", async () => {
  const commands: string[] = []
  const hint = 'iptables-nft -w 5 -t mangle -S KUBE-IPTABLES-HINT'
  const kernel = host({ [hint]: '', 'iptables-nft-save': '', 'iptables-legacy-save': '' })
  expect((await chooseTools(recording(kernel, commands), 'ipv4')).tools.variant).toBe('nft')
  expect(commands).toEqual([hint])
})

test.each([
  ['legacy has no rules', { 'iptables-nft-save -t mangle': '', 'iptables-legacy-save': '*nat\nCOMMIT\n' }],
  ['there is no legacy', { 'iptables-nft-save -t mangle': '' }],
  ["kubelet's canary is with nft", { 'iptables-nft-save -t mangle': CANARY, 'iptables-legacy-save': rules(9) }],
])('where %s, the rules of nft need not be counted: there may be hundreds of thousands', async (_, programs) => {
  const commands: string[] = []
  const { tools } = await chooseTools(recording(host(programs), commands), 'ipv4')
  expect(tools.variant).toBe('nft')
  expect(commands).not.toContain('iptables-nft-save')
})

function recording(kernel: Kernel, commands: string[]): Kernel {
  return {
    run: command => {
      commands.push(command.argv.join(' '))
      return kernel.run(command)
    },
  }
}

test('the only one there is taken', async () => {
  expect((await chooseTools(host({ 'ip6tables-legacy-save': '' }), 'ipv6')).tools.variant).toBe('legacy')
})

test.each([
  ['iptables-restore v1.8.9 (nf_tables)', 'nft'],
  ['iptables-restore v1.6.1', 'legacy'],
])('where only the plain names are there, they say themselves what they are: %s', async (version, variant) => {
  const kernel = host({ 'iptables-restore --version': version, 'iptables-save': '' })
  const { tools } = await chooseTools(kernel, 'ipv4')
  expect(tools).toMatchObject({ variant, restore: 'iptables-restore', save: 'iptables-save' })
})

test('a host without any says which programs were looked for and what to install', async () => {
  await expect(chooseTools(host({}), 'ipv4')).rejects.toThrow(
    'iptables is not available on this host: none of iptables-nft-restore, iptables-legacy-restore and iptables-restore is in PATH; install the package iptables',
  )
})
