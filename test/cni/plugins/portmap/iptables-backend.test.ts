import { describe, expect, test } from 'vitest'
import { BackendAbsent } from '#cni/plugins/backend-absent.ts'
import { IptablesBackend } from '#cni/plugins/portmap/iptables-backend.ts'
import { CommandFailed } from '#system/must.ts'
import { NOT_FOUND } from '#system/ports.ts'
import { RuleKernel } from '../rules/rule-kernel.ts'
import { mapped, mappings, OWNER } from './mappings.ts'

describe('mappings by iptables', () => {
  mappings({
    make: kernel => new IptablesBackend({ kernel }),
    isOfContainer: line => line.includes('CNI-DN-'),
  })

  test('take one process a family where the shared rules stand', async () => {
    const kernel = new RuleKernel()
    const by = new IptablesBackend({ kernel })
    await by.map(mapped())
    const before = kernel.commands.length
    await by.map(
      mapped({ owner: { ...OWNER, container: 'c2' }, last: 3, ports: [{ hostPort: 81, containerPort: 80 }] }),
    )
    expect(kernel.commands.slice(before).map(({ argv }) => argv[0])).toEqual(['iptables-restore', 'ip6tables-restore'])
  })

  test('bring back what another program has flushed of the shared rules, and write none of them twice', async () => {
    const kernel = new RuleKernel()
    const by = new IptablesBackend({ kernel })
    await by.map(mapped())
    const whole = kernel.dump()
    const flushed = ['*nat\n-F PREROUTING\n-F POSTROUTING\nCOMMIT', '*filter\n-F CNI-HOSTPORT-GUARD\nCOMMIT']
    kernel.iptables.run({ does: 'write', argv: ['iptables-restore', '--noflush'], input: flushed.join('\n') })
    await by.map(mapped())
    expect(kernel.dump().toSorted()).toEqual(whole.toSorted())
  })

  test('of a pod that starts at the same moment are no obstacle', async () => {
    const kernel = new RuleKernel()
    let isFirst = true
    kernel.fate = ({ input = '' }) => {
      if (!isFirst || !input.includes('-N CNI-HOSTPORT-DNAT')) return undefined
      isFirst = false
      // Between the look and the change.
      kernel.iptables.run({
        does: 'write',
        argv: ['iptables-restore', '--noflush'],
        input: '*nat\n-N CNI-HOSTPORT-DNAT\nCOMMIT',
      })
      return undefined
    }
    const by = new IptablesBackend({ kernel })
    await by.map(mapped())
    expect([isFirst, await by.missing(mapped())]).toEqual([false, []])
  })

  test('that are refused each time fail after a few tries', async () => {
    const kernel = new RuleKernel()
    kernel.fate = ({ argv }) => (argv[0].endsWith('restore') ? { code: 4, stdout: '', stderr: 'refused' } : undefined)
    await expect(new IptablesBackend({ kernel }).map(mapped())).rejects.toThrow(CommandFailed)
    expect(kernel.dump()).toEqual([])
  })

  test.each([
    [NOT_FOUND, 'not found'],
    [3, "iptables-restore: can't initialize iptables table `nat': Table does not exist"],
  ])('are not tried twice where iptables ends with %i: %s', async (code, stderr) => {
    const kernel = new RuleKernel()
    kernel.fate = () => ({ code, stdout: '', stderr })
    await expect(new IptablesBackend({ kernel }).map(mapped())).rejects.toThrow(BackendAbsent)
    expect(kernel.commands.filter(({ argv }) => argv[0] === 'iptables-restore')).toHaveLength(1)
  })

  test('are removed behind another program that holds the lock', async () => {
    const kernel = new RuleKernel()
    const by = new IptablesBackend({ kernel })
    await by.map(mapped())
    kernel.fate = ({ argv }) =>
      argv.includes('-S') && !argv.includes('-w') ? { code: 4, stdout: '', stderr: 'the lock is held' } : undefined
    expect(await by.unmap({ owner: OWNER })).toHaveLength(2)
  })

  test('cost no process to remove where no chain is there', async () => {
    const kernel = new RuleKernel()
    expect(await new IptablesBackend({ kernel, hasChain: () => false }).unmap({ owner: OWNER })).toEqual([])
    expect(kernel.commands).toEqual([])
  })
})
