import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import { cannotRun, type Namespace, newNamespace } from './namespace.ts'

// What an agent's kernel says of iptables and nft without their programs, beside what the programs say in the same namespace.

const why = cannotRun('iptables-nft', 'iptables-legacy')
const PROGRAM = new URL('./answers-program.ts', import.meta.url).pathname

interface Answered {
  readonly code: number
  readonly chains: readonly string[]
  readonly stderr: string
  readonly by: 'netlink or a file' | 'a program'
}

describe.skipIf(why !== undefined)(`iptables and nft without their programs${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace

  beforeEach(async () => {
    namespace = await newNamespace('answers')
  })
  afterEach(() => namespace.end())

  const run = (...argv: readonly [string, ...string[]]) => must(namespace.kernel, anyCommand(argv))
  const answers = async (flags: readonly string[], ...argv: readonly string[]): Promise<Answered> => {
    const node = [process.execPath, ...flags, PROGRAM] as const
    return JSON.parse((await run(...node, JSON.stringify(argv))).stdout) as Answered
  }
  const find = (chain: string) => ['iptables-nft', '-w', '5', '-t', 'mangle', '-S', chain]

  test('a namespace without rules', async () => {
    for (const argv of [['iptables-nft-save'], ['ip6tables-nft-save'], ['iptables-nft-save', '-t', 'mangle']]) {
      expect(await answers([], ...argv)).toMatchObject({ code: 0, chains: [], by: 'netlink or a file' })
    }
    expect(await answers([], ...find('KUBE-IPTABLES-HINT'))).toMatchObject({ code: 1, by: 'netlink or a file' })
  })

  test('chains that are there, and one that is not', async () => {
    await run('iptables-nft', '-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT')
    expect(await answers([], ...find('KUBE-IPTABLES-HINT'))).toMatchObject({ code: 0, by: 'netlink or a file' })
    expect(await answers([], ...find('KUBE-OTHER'))).toMatchObject({ code: 1, by: 'netlink or a file' })
    const listing = { code: 0, chains: ['KUBE-IPTABLES-HINT'], by: 'a program' }
    expect(await answers([], 'iptables-nft-save')).toMatchObject(listing)
    expect(await answers([], 'iptables-nft-save', '-t', 'mangle')).toMatchObject(listing)
    expect(await answers([], 'ip6tables-nft-save')).toMatchObject({ chains: [], by: 'netlink or a file' })
  })

  test('tables of legacy, read or not by an earlier program', async () => {
    expect(await answers([], 'iptables-legacy-save')).toMatchObject({ code: 0, chains: [] })
    await run('iptables-legacy', '-t', 'nat', '-N', 'KUBE-SERVICES')
    expect(await answers([], 'iptables-legacy-save')).toMatchObject({
      code: 0,
      chains: ['KUBE-SERVICES'],
      by: 'a program',
    })
  })

  test('a table of nft that is not there, in the words of nft, and one that is', async () => {
    const list = (family: string) => ['nft', '-j', 'list', 'table', family, 'kube-proxy']
    for (const family of ['ip', 'ip6']) {
      const { by, ...answered } = await answers([], ...list(family))
      const { by: byProgram, ...said } = await answers(['--no-experimental-ffi'], ...list(family))
      expect([by, byProgram]).toEqual(['netlink or a file', 'a program'])
      expect(answered).toEqual(said)
    }
    await run('nft', 'add', 'table', 'ip', 'kube-proxy')
    expect(await answers([], ...list('ip'))).toMatchObject({ code: 0, by: 'a program' })
    expect(await answers([], ...list('ip6'))).toMatchObject({ code: 1, by: 'netlink or a file' })
  })

  test('without FFI, the programs say the same', async () => {
    await run('iptables-nft', '-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT')
    const without = ['--no-experimental-ffi']
    expect(await answers(without, ...find('KUBE-IPTABLES-HINT'))).toMatchObject({ code: 0, by: 'a program' })
    expect(await answers(without, ...find('KUBE-OTHER'))).toMatchObject({ code: 1, by: 'a program' })
    expect(await answers(without, 'ip6tables-nft-save')).toMatchObject({ code: 0, chains: [], by: 'a program' })
  })
})
