import { describe, expect, test } from 'vitest'
import { NftablesBackend } from '#cni/plugins/portmap/nftables-backend.ts'
import { RuleKernel } from '../rules/rule-kernel.ts'
import { mapped, mappings, OWNER } from './mappings.ts'

describe('mappings by nftables', () => {
  mappings({
    make: kernel => new NftablesBackend({ kernel }),
    isOfContainer: line => line.includes('pod-'),
  })

  test('of both families are one transaction', async () => {
    const kernel = new RuleKernel()
    await new NftablesBackend({ kernel }).map(mapped())
    expect(kernel.commands.filter(({ input }) => input !== undefined)).toHaveLength(1)
  })

  test('say that there is no table where there is none', async () => {
    expect(await new NftablesBackend({ kernel: new RuleKernel() }).missing(mapped())).toEqual([
      'there is no table ip switchyard_hostports',
      'there is no table ip6 switchyard_hostports',
    ])
  })

  test('are looked for by a program where it is not known whether a chain is there', async () => {
    const kernel = new RuleKernel()
    const by = new NftablesBackend({ kernel, hasChain: () => true })
    expect(await by.unmap({ owner: OWNER })).toEqual([])
    await by.map(mapped())
    expect(await by.unmap({ owner: OWNER })).toHaveLength(2)
    expect(kernel.dump().filter(line => line.includes('pod-'))).toEqual([])
  })

  test('cost no process to remove where no chain is there', async () => {
    const kernel = new RuleKernel()
    expect(await new NftablesBackend({ kernel, hasChain: () => false }).unmap({ owner: OWNER })).toEqual([])
    expect(kernel.commands).toEqual([])
  })
})
