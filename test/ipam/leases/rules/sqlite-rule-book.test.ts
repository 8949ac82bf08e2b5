import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KeptRules, RuleBook } from '#ipam/leases/rules/rule-book.ts'
import { SqliteRuleBook } from '#ipam/leases/rules/sqlite-rule-book.ts'
import { PaperRuleBook } from '../../../cni/repair/paper-rule-book.ts'
import { holder } from '../../../support/leases.ts'
import { memoryFolder } from '../../../support/memory-folder.ts'

function rulesOf(container: string, more: Partial<KeptRules> = {}): KeptRules {
  const at = { netns: `/run/netns/${container}`, namespaceId: '4:1', boot: 'b' }
  return { holder: holder(container), kind: 'masquerade', ...at, wanted: `{"of":"${container}"}`, ...more }
}

let folder: string
let open: SqliteRuleBook | undefined
beforeEach(() => {
  folder = memoryFolder('rule-book-')
})
afterEach(() => {
  open?.close()
  open = undefined
  rmSync(folder, { recursive: true })
})

const BOOKS: readonly (readonly [string, () => RuleBook])[] = [
  ['in SQLite', () => (open = SqliteRuleBook.open(join(folder, 'ipam.db')))],
  ['on paper', () => new PaperRuleBook()],
]

describe.each(BOOKS)('rules that are kept %s', (_, opened) => {
  test('are there in the order in which they were kept, the newest in place of one before it', async () => {
    const book = opened()
    for (const container of ['b', 'a', 'c']) await book.keep(rulesOf(container))
    await book.keep(rulesOf('b', { wanted: '{}' }))
    await book.keep(rulesOf('z', { boot: 'earlier' }))
    const kept = await book.all('b')
    expect(kept).toEqual([rulesOf('a'), rulesOf('c'), rulesOf('b', { wanted: '{}' })])
    expect([await book.isKept(rulesOf('b')), await book.isKept(kept[2]!)]).toEqual([false, true])
  })

  test('are forgotten one kind at a time', async () => {
    const book = opened()
    await book.keep(rulesOf('a'))
    await book.keep(rulesOf('a', { kind: 'hostports' }))
    await book.forget(holder('a'), 'masquerade')
    await book.forget(holder('a'), 'masquerade')
    expect(await book.all('b')).toEqual([rulesOf('a', { kind: 'hostports' })])
  })

  test('are forgotten of all attachments of a network but those named', async () => {
    const book = opened()
    const elsewhere = rulesOf('c', { holder: { ...holder('c'), network: 'another' } })
    for (const rules of [rulesOf('a'), rulesOf('b'), rulesOf('b', { kind: 'hostports' }), elsewhere])
      await book.keep(rules)
    await book.keepOnly(holder('a').network, [holder('a')], 'masquerade')
    expect(await book.all('b')).toEqual([rulesOf('a'), rulesOf('b', { kind: 'hostports' }), elsewhere])
  })
})

test('rules outlive the process', async () => {
  const path = join(folder, 'ipam.db')
  const first = SqliteRuleBook.open(path)
  await first.keep(rulesOf('a'))
  first.close()
  open = SqliteRuleBook.open(path)
  expect(await open.all('b')).toEqual([rulesOf('a')])
})
