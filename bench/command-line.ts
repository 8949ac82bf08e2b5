import { parseArgs } from 'node:util'
import type { BenchMode } from './node/task.ts'

// The words after `npm run bench --` → a command and its options, or what is wrong with them.

export const USAGE = [
  'usage: npm run bench -- table [--mode iptables|nftables] [--services N,N,…] [--endpoints N] [--peer COMMAND-LINE]',
  '                              [--rounds N] [--updates N] [--json FILE]',
  '       npm run bench -- iptables|nftables [--services N,N,…] [--endpoints N] [--peer COMMAND-LINE] [--updates N]',
  '                              [--one-commit] [--json FILE]',
  '       npm run bench -- userspace [--rounds N] [--json FILE]',
  '       npm run bench -- ipvs [--services N]',
  '       npm run bench -- pods [--peer FOLDER] [--leases N,N,…] [--rounds N] [--json FILE]',
  '       npm run bench -- ranges [--nodes N] [--rounds N] [--json FILE]',
  '       npm run bench -- cluster [--nodes N] [--pods N] [--rounds N] [--json FILE]',
  '       npm run bench -- pods --runtime [--peer FOLDER] [--rounds N] [--json FILE]',
].join('\n')

export type CommandName = 'table' | 'iptables' | 'nftables' | 'userspace' | 'ipvs' | 'pods' | 'ranges' | 'cluster'

export interface BenchOptions {
  readonly command: CommandName
  readonly modes: readonly BenchMode[]
  /** Numbers of Services; empty: those of the command. */
  readonly services: readonly number[]
  /** For `ranges` and `cluster`. */
  readonly nodes: number | undefined
  /** For `cluster`. */
  readonly pods: number
  /** Numbers of leases, for `pods`. */
  readonly leases: readonly number[]
  readonly endpoints: number
  /** A command line; of `pods`, a folder with plugins. */
  readonly peer: string | undefined
  readonly rounds: number | undefined
  readonly updates: number
  readonly oneCommit: boolean
  /** For `pods`: those of a real containerd. */
  readonly runtime: boolean
  readonly json: string
}

const COMMANDS: readonly CommandName[] = [
  'table',
  'iptables',
  'nftables',
  'userspace',
  'ipvs',
  'pods',
  'ranges',
  'cluster',
]

export function asksForHelp(words: readonly string[]): boolean {
  return words.some(word => ['--help', '-h', 'help'].includes(word))
}

/** Throws where a word means nothing. */
export function benchOptions(words: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      mode: { type: 'string' },
      services: { type: 'string' },
      nodes: { type: 'string' },
      pods: { type: 'string', default: '100' },
      leases: { type: 'string', default: '0,1000,10000,65000' },
      endpoints: { type: 'string', default: '10' },
      updates: { type: 'string', default: '20' },
      peer: { type: 'string' },
      'one-commit': { type: 'boolean', default: false },
      runtime: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      json: { type: 'string' },
      /** As --json, which was called so before. */
      out: { type: 'string' },
    },
  })
  const command = COMMANDS.find(name => name === positionals[0])
  if (positionals.length === 0) throw new Error(`a command is missing: ${COMMANDS.join(', ')}`)
  if (command === undefined || positionals.length > 1) throw new Error(`no such command: ${positionals.join(' ')}`)
  return {
    command,
    modes: modesOf(values.mode),
    services: values.services?.split(',').map(text => count('--services', text)) ?? [],
    nodes: values.nodes === undefined ? undefined : count('--nodes', values.nodes),
    pods: count('--pods', values.pods),
    leases: values.leases.split(',').map(text => (text === '0' ? 0 : count('--leases', text))),
    endpoints: count('--endpoints', values.endpoints),
    peer: values.peer,
    rounds: values.rounds === undefined ? undefined : count('--rounds', values.rounds),
    updates: count('--updates', values.updates),
    oneCommit: values['one-commit'],
    runtime: values.runtime,
    json: values.json ?? values.out ?? 'dist/bench.json',
  }
}

function modesOf(text: string | undefined): readonly BenchMode[] {
  if (text === undefined) return ['iptables', 'nftables']
  if (text === 'iptables' || text === 'nftables') return [text]
  throw new Error(`--mode: iptables or nftables, not ${text}`)
}

function count(flag: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`${flag}: "${text}" is not a number from 1 on`)
  return value
}
