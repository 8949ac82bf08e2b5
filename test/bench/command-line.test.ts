import { describe, expect, test } from 'vitest'
import { asksForHelp, benchOptions } from '../../bench/command-line.ts'

describe('the words after npm run bench', () => {
  test('have defaults', () => {
    expect(benchOptions(['table'])).toEqual({
      command: 'table',
      modes: ['iptables', 'nftables'],
      services: [],
      nodes: undefined,
      pods: 100,
      leases: [0, 1000, 10_000, 65_000],
      endpoints: 10,
      peer: undefined,
      rounds: undefined,
      updates: 20,
      oneCommit: false,
      runtime: false,
      json: 'dist/bench.json',
    })
  })

  test('name sizes, a mode, and a peer that is a command line', () => {
    const words = ['table', '--mode', 'nftables', '--services', '1000,10000', '--peer', 'node /old/switchyard.js']
    expect(benchOptions(words)).toMatchObject({
      modes: ['nftables'],
      services: [1000, 10_000],
      peer: 'node /old/switchyard.js',
    })
  })

  test('may go on calling the file --out', () => {
    expect(benchOptions(['iptables', '--out', 'x.json']).json).toBe('x.json')
    expect(benchOptions(['iptables', '--one-commit']).oneCommit).toBe(true)
  })

  test('may ask what they may be', () => {
    expect([['--help'], ['table', '-h'], ['help']].map(asksForHelp)).toEqual([true, true, true])
    expect(asksForHelp(['table'])).toBe(false)
  })

  test.each([
    [[], 'a command is missing: table, iptables, '],
    [['tables'], 'no such command: tables'],
    [['table', 'iptables'], 'no such command: table iptables'],
    [['table', '--mode', 'ipvs'], '--mode: iptables or nftables, not ipvs'],
    [['table', '--services', '1000,many'], '--services: "many" is not a number from 1 on'],
    [['table', '--rounds', '0'], '--rounds: "0" is not a number from 1 on'],
  ])('%j are refused', (words, problem) => {
    expect(() => benchOptions(words)).toThrow(problem)
  })
})
