import { describe, expect, test } from 'vitest'
import { completion } from '#config/shown/completion.ts'
import { TABLE } from '#config/table/table.ts'
import { VERBS } from '#config/verbs.ts'

// A command line that is being typed: each case is the words before the cursor, the last one unfinished.

const words = (...typed: string[]) => completion(typed).candidates.map(({ word }) => word)

describe('the first word', () => {
  test('is a verb, with what it does', () => {
    expect(words('')).toEqual(Object.keys(VERBS))
    expect(completion(['expl']).candidates).toEqual([{ word: 'explain', does: VERBS.explain.does }])
    expect(words('zz')).toEqual([])
  })

  test('may be a flag of run, as on the command line of kube-proxy', () => {
    expect(words('--proxy-m')).toEqual(['--proxy-mode='])
    expect(words('--proxy-mode', 'nf')).toEqual(['nftables'])
  })
})

describe('a flag', () => {
  test('is one that the verb has', () => {
    expect(words('ipam', '--fr')).toEqual(['--free'])
    expect(words('render', '--fr')).toEqual([])
    expect(words('render', '--a')).toEqual(['--as='])
  })

  test('has a value behind "=" or in the next word', () => {
    expect(words('render', '--as=')).toEqual(['--as=restore', '--as=script'])
    expect(words('render', '--as=s')).toEqual(['--as=script'])
    expect(words('render', '--as', '')).toEqual(['restore', 'script'])
    expect(words('ipam', '-o', '')).toEqual(expect.arrayContaining(['wide', 'json']))
  })

  test('that is a switch has none in the next word', () => {
    expect(words('ipam', '--free', '')).toContain('ls')
    expect(words('ipam', '--free=')).toEqual(['--free=true', '--free=false'])
  })

  test('that was deprecated or does nothing is not offered', () => {
    const idle = TABLE.filter(({ legacy, noEffect, deprecated, flag }) => flag && (legacy || noEffect || deprecated))
    expect(idle.length).toBeGreaterThan(10)
    const offered = words('run', '--')
    for (const { flag } of idle) expect(offered).not.toContain(`--${flag}`)
  })

  test('of a path leaves it to the shell', () => {
    for (const typed of [
      ['run', '--config', ''],
      ['run', '--config=/et'],
      ['render', '-f', ''],
      ['render', '--filename='],
    ])
      expect(completion(typed)).toEqual({ candidates: [], files: true })
  })
})

describe('an operand', () => {
  test('is a command of the verb, once', () => {
    expect(words('cni', 'l')).toEqual(['lint'])
    expect(words('ranges', '')).toEqual(['audit', 'plan', 'controller'])
    expect(words('ranges', 'audit', '')).toEqual([])
    expect(words('help', 'exp')).toEqual(['explain'])
  })

  test('that names files leaves them to the shell', () => {
    expect(completion(['cni', 'lint', '/etc/']).files).toBe(true)
    expect(completion(['ipam', 'import', '']).files).toBe(true)
    expect(completion(['ipam', 'who', '']).files).toBe(false)
  })
})

test('every word that is offered for a setting is one that the setting takes', () => {
  const rows = TABLE.filter(({ words }) => words !== undefined)
  expect(rows.length).toBeGreaterThan(8)
  for (const { words: known = [], initial } of rows) expect([...known, '']).toContain(initial)
})
