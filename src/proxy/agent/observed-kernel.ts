import type { Command, Kernel } from '#system/ports.ts'
import type { Ran } from '#telemetry/numbers/tally.ts'
import type { Family } from '#values/address.ts'
import { rulesWritten } from './rule-counts.ts'

// A kernel → the same, and a word about every command it has run.

export function observedKernel(kernel: Kernel, now: () => number, tell: (ran: Ran) => void): Kernel {
  return {
    async run(command) {
      const startedAt = now()
      const outcome = await kernel.run(command)
      tell({ ...factsOf(command), tookMs: now() - startedAt, code: outcome.code })
      return outcome
    },
  }
}

type Facts = Omit<Ran, 'tookMs' | 'code'>

function factsOf({ argv, input = '' }: Command): Facts {
  const named = argv[0].slice(argv[0].lastIndexOf('/') + 1)
  if (argv.some(word => /\bconntrack\b/.test(word))) {
    return {
      program: 'conntrack',
      does: 'conntrack',
      rules: {},
      ...familyIn(`${argv.join(' ')} ${input.slice(0, 80)}`),
    }
  }
  const iptables = /^(ip6?tables)(?:-\w+)*-(save|restore)$/.exec(named)
  if (iptables !== null) {
    const of: { readonly family: Family } = { family: iptables[1] === 'ip6tables' ? 'ipv6' : 'ipv4' }
    if (iptables[2] === 'save') return { program: named, does: 'look', rules: {}, ...of }
    return { program: named, does: 'restore', rules: rulesWritten(input), ...of }
  }
  if (named !== 'nft' || !argv.includes('list')) return { program: named, does: 'else', rules: {} }
  return { program: named, does: 'look', rules: {}, family: argv.includes('ip6') ? 'ipv6' : 'ipv4' }
}

function familyIn(words: string): { readonly family?: Family } {
  const family = /-f (ipv4|ipv6)\b/.exec(words)?.[1]
  return family === undefined ? {} : { family: family as Family }
}
