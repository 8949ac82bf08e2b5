import type { Tools } from '#dialects/iptables.ts'
import { alarm } from '#proxy/modes/iptables-alarm.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { base } from './base.ts'
import { foreignRules, read } from './read.ts'
import { service } from './service.ts'
import { trace } from './trace.ts'
import { write } from './write.ts'

// iptables mode: KUBE-SVC and KUBE-SEP chains, exactly as kube-proxy's.

export function iptables(tools: Tools): Mode {
  const watch = alarm(tools)
  return {
    name: 'iptables',
    base,
    service,
    write: plan => write(plan, tools),
    read: kernel => read(kernel, tools),
    foreignRules: kernel => foreignRules(kernel, tools),
    ...(watch !== undefined && { alarm: watch }),
    trace,
  }
}
