import { canonicalChains } from 'iptables-parser'
import { anyCommand } from '#lab/any-command.ts'
import type { Kernel } from '#system/ports.ts'
import type { Walk } from './steps.ts'

// Another program that changes our rules, and what the kernel reports of it.

export type Chains = Readonly<Record<string, string>>

export async function chainsOf(kernel: Kernel, save: string): Promise<Chains> {
  const { stdout } = await kernel.run(anyCommand([save]))
  const tables = [...canonicalChains(stdout)]
  return Object.fromEntries(
    tables.flatMap(([table, chains]) => [...chains].map(([chain, text]) => [`${table} ${chain}`, text])),
  )
}

/** `*nat`, `:KUBE-SERVICES - [0:0]` → `nat KUBE-SERVICES` */
export function chainsWritten(document: string): readonly string[] {
  let table = ''
  return document.split('\n').flatMap(line => {
    if (line.startsWith('*')) table = line.slice(1)
    return line.startsWith(':') ? [`${table} ${line.slice(1, line.indexOf(' '))}`] : []
  })
}

export function touchesBetween(before: Chains, after: Chains, family: 'ip' | 'ip6'): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap(chain => {
    if (after[chain] === undefined) return [`delete chain ${family} ${chain}`]
    if (before[chain] === undefined) return [`add chain ${family} ${chain}`, `add rule ${family} ${chain}`]
    return before[chain] === after[chain] ? [] : [`add rule ${family} ${chain}`]
  })
}

/** What an administrator, another agent or a test of theirs may do. */
export function disturbance(
  way: Walk,
  chains: readonly string[],
  program: string,
): readonly (readonly [string, ...string[]])[] {
  const [table, chain] = way
    .pick(chains.filter(one => one.includes('KUBE-') || /PREROUTING|OUTPUT/.test(one)))!
    .split(' ') as [string, string]
  const on = [program, '-t', table] as const
  return way.pick([
    [[...on, '-F', chain]],
    [[...on, '-I', chain, '-j', 'RETURN']],
    [[...on, '-A', chain, '-p', 'tcp', '-j', 'ACCEPT']],
    [[...on, '-F']],
    [
      [...on, '-F', chain],
      [...on, '-X', chain],
    ],
    [
      [...on, '-N', 'KUBE-SVC-AAAAAAAAAAAAAAAA'],
      [...on, '-A', 'KUBE-SVC-AAAAAAAAAAAAAAAA', '-j', 'RETURN'],
    ],
    [[...on, '-D', chain, '1']],
  ])!
}
