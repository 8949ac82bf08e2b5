import { beforeEach, describe, expect, test } from 'vitest'
import type { RewriteParts, RewrittenKind } from '#cni/plugins/kept-rules.ts'
import { type Repaired, repairRound } from '#cni/repair/repair.ts'
import type { KeptRules, RuleKind } from '#ipam/leases/rules/rule-book.ts'
import { PaperRuleBook } from './paper-rule-book.ts'

const BOOT = 'this boot'

function rulesOf(container: string, kind: RuleKind = 'masquerade'): KeptRules {
  const holder = { network: 'mynet', container, ifname: 'eth0' }
  return { holder, kind, netns: `/run/netns/${container}`, namespaceId: `4:${container}`, boot: BOOT, wanted: '{}' }
}

const nameOf = ({ holder, kind }: KeptRules): string => `${kind} ${holder.container}`

let book: PaperRuleBook
/** What the kernel has. */
let standing: Set<string>
let done: string[]
let duringWrite: (rules: KeptRules) => Promise<void>
let living: Set<string>
let meanwhile: () => void

const kind: RewrittenKind = {
  look: async () => rules => standing.has(nameOf(rules)),
  isWhole: async rules => standing.has(nameOf(rules)),
  async write(rules) {
    await duringWrite(rules)
    done.push(`write ${nameOf(rules)}`)
    standing.add(nameOf(rules))
  },
  async remove(rules) {
    done.push(`remove ${nameOf(rules)}`)
    standing.delete(nameOf(rules))
  },
}

beforeEach(() => {
  book = new PaperRuleBook()
  standing = new Set()
  living = new Set(['/run/netns/a', '/run/netns/b', '/run/netns/c'])
  done = []
  duringWrite = async () => {}
  meanwhile = () => done.push('settled')
})

function round(signal = new AbortController().signal): Promise<readonly Repaired[]> {
  const files = {
    bootId: async () => BOOT,
    namespaceId: async (path: string) => (living.has(path) ? `4:${path.slice('/run/netns/'.length)}` : undefined),
  }
  return repairRound({
    ...{ book, signal, kinds: { masquerade: kind, hostports: kind } },
    parts: { files } as unknown as RewriteParts,
    inTurn: (_, work) => work(),
    settle: async () => meanwhile(),
  })
}

const outcomes = (all: readonly Repaired[]) => all.map(({ rules, outcome }) => `${outcome} ${nameOf(rules)}`)

describe('a round over the rules that are kept', () => {
  test('writes what is not there, in the order in which it was kept, and once', async () => {
    for (const container of ['b', 'a', 'c']) await book.keep(rulesOf(container))
    await book.keep(rulesOf('a', 'hostports'))
    standing.add('masquerade c')
    expect(outcomes(await round())).toEqual(['written masquerade b', 'written masquerade a', 'written hostports a'])
    expect(await round()).toEqual([])
  })

  test('leaves alone what is of a pod that is gone, and of an earlier boot', async () => {
    await book.keep(rulesOf('gone'))
    await book.keep({ ...rulesOf('a'), namespaceId: '4:another' })
    await book.keep({ ...rulesOf('b'), boot: 'earlier' })
    expect(await round()).toEqual([])
    expect(done).toEqual(['settled'])
  })

  test('waits once, and then leaves alone what is of a pod that a plugin without our book was about to end', async () => {
    for (const container of ['a', 'b', 'c']) await book.keep(rulesOf(container))
    meanwhile = () => {
      done.push('settled')
      living.delete('/run/netns/a')
    }
    expect(outcomes(await round())).toEqual(['written masquerade b', 'written masquerade c'])
    expect(done).toEqual(['settled', 'write masquerade b', 'write masquerade c'])
  })

  test('does not wait where all is there', async () => {
    await book.keep(rulesOf('a'))
    standing.add('masquerade a')
    expect([await round(), done]).toEqual([[], []])
  })

  test('takes back what is of a pod that has ended while it was written', async () => {
    await book.keep(rulesOf('a'))
    duringWrite = async () => void living.delete('/run/netns/a')
    expect(await round()).toEqual([])
    expect(done).toEqual(['settled', 'write masquerade a', 'remove masquerade a'])
  })

  test('takes back what a DEL in another process has made superfluous meanwhile', async () => {
    await book.keep(rulesOf('a'))
    duringWrite = ({ holder }) => book.forget(holder, 'masquerade')
    expect(await round()).toEqual([])
    expect(done).toEqual(['settled', 'write masquerade a', 'remove masquerade a'])
  })

  test('goes on behind one that fails', async () => {
    for (const container of ['a', 'b']) await book.keep(rulesOf(container))
    duringWrite = async ({ holder }) => {
      if (holder.container === 'a') throw new Error('refused')
    }
    expect(outcomes(await round())).toEqual(['failed masquerade a', 'written masquerade b'])
  })

  test('ends with the daemon', async () => {
    await book.keep(rulesOf('a'))
    expect(await round(AbortSignal.abort())).toEqual([])
    expect(done).toEqual([])
  })
})
