import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hasLegacyTable, iptablesAnswer } from '#system/answers/iptables.ts'

// Which commands are never answered here. What is answered, where the kernel may be asked, is proven beside the programs on
// the real kernel.

let folder: string
let path: string | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'programs-'))
  path = process.env.PATH
  process.env.PATH = folder
})
afterEach(() => {
  process.env.PATH = path
  rmSync(folder, { recursive: true })
})

function install(...programs: readonly string[]): void {
  for (const program of programs) {
    writeFileSync(join(folder, program), '')
    chmodSync(join(folder, program), 0o755)
  }
}

const answer = (line: string) => {
  const [program, ...words] = line.split(' ') as [string, ...string[]]
  return iptablesAnswer(program, words)
}

describe('a command is run', () => {
  test('whose program is not installed: that is its answer', () => {
    for (const line of [
      'iptables-nft-save',
      'iptables-nft-save -t nat',
      'iptables-nft -w 5 -t nat -S A',
      'iptables-legacy-save',
    ]) {
      expect(answer(line)).toBeUndefined()
    }
    writeFileSync(join(folder, 'iptables-nft-save'), '')
    expect(answer('iptables-nft-save')).toBeUndefined()
  })

  test.each([
    'iptables-save',
    'iptables -w 5 -t nat -S A',
    'arptables-nft-save',
    'iptables-nft-restore',
    'iptables-nft-save -t nat -c',
    'iptables-nft-save -c',
    'iptables-nft-save -t nat;raw',
    'iptables-nft -t nat -S A',
    'iptables-nft -w 5 -t nat -S',
    'iptables-nft -w 5 -t nat -S A B',
    'iptables-nft -w 5 -t nat -A A',
    'iptables-legacy -w 5 -t nat -S A',
    'iptables-legacy-save -t nat',
    'nft list tables',
  ])('that is not one of those that are answered: %s', line => {
    install(
      'iptables',
      'iptables-save',
      'iptables-nft',
      'iptables-nft-save',
      'iptables-nft-restore',
      'arptables-nft-save',
    )
    install('iptables-legacy', 'iptables-legacy-save', 'nft')
    expect(answer(line)).toBeUndefined()
  })
})

test('a table that no kernel has is not in use', () => {
  expect(hasLegacyTable('ip', 'no-such-table')).toBe(false)
  expect(hasLegacyTable('ip6', '../../self/environ')).toBe(false)
})

test('a table that is listed as nothing is so in the words of the program: none, with exit status 0', () => {
  install('iptables-nft-save', 'ip6tables-nft-save')
  // Where the kernel may not be asked, the program is.
  const [ip, ip6] = ['iptables-nft-save -t nosuchtable', 'ip6tables-nft-save -t nosuchtable'].map(answer)
  expect([undefined, { code: 0, stdout: '', stderr: '' }]).toContainEqual(ip)
  expect(ip6).toEqual(ip)
})
