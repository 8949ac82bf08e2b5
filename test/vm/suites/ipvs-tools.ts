import { anyCommand } from '#lab/any-command.ts'
import { ipLines } from '#lab/network/namespaces.ts'
import { must } from '#system/must.ts'
import type { Command } from '#system/ports.ts'
import { passes, type ToolUnderContract } from '../../contracts/tools/case.ts'
import { IP } from '../../contracts/tools/ip.ts'
import { IPVSADM } from '../../contracts/tools/ipvsadm.ts'
import { type Namespace, newNamespace } from '../../kernel/namespace.ts'
import { type Suite, suite } from '../suite.ts'

// The cases that ipvsadm and `ip` on paper pass, on the real ones, in a namespace of their own.

export const ipvsTools: Suite = suite('ipvsadm and ip: the contract', {
  open: async () => {
    const namespace = await newNamespace('tools')
    // IPVS takes a real server only where packets have a way to it.
    const way = ['link set lo up', 'link add way type dummy', 'link set way up', 'route add default dev way']
    await must(namespace.kernel, ipLines(way))
    return namespace
  },
  close: namespace => namespace.end(),
  checks: {
    ...checksOf(IPVSADM, anyCommand(['ipvsadm', '-C'])),
    ...checksOf(IP, anyCommand(['ip', 'link', 'delete', 'kube-ipvs0'])),
  },
})

/** What a case has left is `emptied`; where it has left nothing, that may fail. */
function checksOf(tool: ToolUnderContract, emptied: Command): Readonly<Record<string, Check>> {
  const checks = tool.cases.map(one => {
    const check: Check = ({ kernel }) => passes(one, tool, kernel).finally(() => kernel.run(emptied))
    return [`${tool.name}: ${one.title}`, check] as const
  })
  return Object.fromEntries(checks)
}

type Check = (namespace: Namespace) => Promise<void>
