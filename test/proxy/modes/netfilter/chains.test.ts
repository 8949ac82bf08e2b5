import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isBuiltIn, type ModeChains, readUnits, unitsIn } from '#proxy/modes/netfilter/chains.ts'
import { textsOf } from '../../../support/units.ts'

const CHAINS: ModeChains = {
  tables: ['filter', 'nat'],
  isOurs: (table, chain) => table === 'nat' && chain.startsWith('OUR'),
  isShared: (_, chain) => isBuiltIn(chain) || chain === 'SHARED',
  isOurLine: (_, line) => line.endsWith('-j OURS'),
  made: { table: 'filter', chain: 'SHARED' },
}

const table = (name: string, ...lines: readonly string[]) => [`*${name}`, ...lines, 'COMMIT', ''].join('\n')
const read = (save: string) => Object.fromEntries(textsOf(unitsIn(save, CHAINS)))

test('nothing printed is nothing there', () => expect(read('')).toEqual({}))

describe('a unit is', () => {
  test('each chain of ours, with its rules as one text', () => {
    const lines = [':OURS - [0:0]', ':OUR-OTHER - [0:0]', '-A OURS -s 10.0.0.0/8 -j ACCEPT', '-A OURS -j DROP']
    expect(read(table('nat', ...lines))).toEqual({
      'nat OURS': '-A OURS -s 10.0.0.0/8 -j ACCEPT\n-A OURS -j DROP',
      'nat OUR-OTHER': '',
    })
  })

  test('each line of ours in a chain of others, as often as it stands there', () => {
    const lines = [':PREROUTING ACCEPT [0:0]', ':OTHERS - [0:0]', ':OURS - [0:0]']
    const rules = [
      '-A PREROUTING -j OURS',
      '-A PREROUTING -j OTHERS',
      '-A PREROUTING -j OURS',
      '-A OTHERS -j OURS',
      '-A PREROUTING -j OURS',
    ]
    expect(read(table('nat', ...lines, ...rules))).toEqual({
      'nat OURS': '',
      'nat -A PREROUTING -j OURS': '',
      'nat -A PREROUTING -j OURS #2': '',
      'nat -A PREROUTING -j OURS #3': '',
    })
  })

  test('the chain that we make where it is missing, without what others write into it', () => {
    const lines = [':SHARED - [0:0]', ':OURS - [0:0]', '-A SHARED -j DROP', '-A SHARED -j OURS']
    expect(read(table('filter', ...lines))).toEqual({ 'filter SHARED': '', 'filter -A SHARED -j OURS': '' })
  })

  test('nothing of a table that the mode does not use', () => {
    expect(read(table('mangle', ':PREROUTING ACCEPT [0:0]', '-A PREROUTING -j OURS'))).toEqual({})
  })
})

test('whatever order the tables and their chains are printed in, the units are the same', () => {
  const chains = [
    [':OURS - [0:0]', '-A OURS -j DROP'],
    [':OUR-B - [0:0]', '-A OUR-B -j OURS'],
    [':PREROUTING ACCEPT [0:0]', '-A PREROUTING -j OURS'],
  ]
  fc.assert(
    fc.property(fc.shuffledSubarray(chains, { minLength: 3 }), all => {
      const heads = all.map(([head]) => head!)
      const save = table('nat', ...heads, ...all.flatMap(([, ...rules]) => rules))
      expect(read(save)).toEqual({
        'nat OURS': '-A OURS -j DROP',
        'nat OUR-B': '-A OUR-B -j OURS',
        'nat -A PREROUTING -j OURS': '',
      })
    }),
  )
})

test('a mode that writes words of its own reads chains in these words', async () => {
  const save = table('nat', ':OURS - [0:0]', '-A OURS -j REDIRECT --to-ports 4000')
  const kernel = { run: async () => ({ code: 0, stdout: save, stderr: '' }) }
  const tools = { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' } as const
  const wording = async () => (text: string) => text.replace('4000', '{tcp a/b}')
  expect([...textsOf(await readUnits(kernel, tools, { ...CHAINS, wording })).values()]).toEqual([
    '-A OURS -j REDIRECT --to-ports {tcp a/b}',
  ])
})
