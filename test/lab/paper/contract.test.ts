import { describe } from 'vitest'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { type IptablesName, kernelContract } from '../../contracts/kernel.ts'

describe('the paper kernel', () => {
  const names: readonly IptablesName[] = [
    'iptables',
    'ip6tables',
    'iptables-nft',
    'iptables-legacy',
    'ip6tables-legacy',
  ]
  for (const name of names) {
    kernelContract(name, async () => ({ kernel: new PaperKernel(), end: async () => {} }))
  }
})
