import { networksOf } from '#cni/network/networks.ts'
import { type Invocation, start } from '#command-line/start.ts'
import { nodeName } from '#config/settings.ts'
import { inForm } from '#config/shown/yaml.ts'
import type { Explanation } from '#explain/answer.ts'
import { explanationText } from '#explain/text.ts'
import { ask } from '#operator/explain/ask.ts'
import { clusterView, type ViewQuestion } from '#operator/source/cluster-view.ts'
import { NoCluster } from '#operator/source/no-cluster.ts'
import { systemClock } from '#system/clock.ts'
import { hostName } from '#system/host.ts'
import { complain, print } from '#system/output.ts'
import type { Kernel } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// explain [FROM] TO: why does this packet go there? From its pod over the rules of its node to where it ends, every way that chance
// may take.

export function main(argv: readonly string[]): Promise<number> {
  return start('explain', argv, async invocation => {
    const explanations = await explained(invocation, hostKernel())
    const { settings } = invocation
    const text = settings.questions.output === 'json' ? JSON.stringify(explanations, null, 2) : textOf(explanations)
    print(inForm(text, settings))
    return explanations.some(({ sent }) => sent?.asExplained === false) ? 1 : 0
  })
}

type Asked = Pick<Invocation, 'settings' | 'operands' | 'log'>

export async function explained(invocation: Asked, kernel: Kernel): Promise<readonly Explanation[]> {
  const [first = '', second] = invocation.operands
  const view = await viewOrNone(invocation)
  const { settings } = view ?? invocation
  const words = second === undefined ? { from: undefined, to: first } : { from: first, to: second }
  const parts = { kernel, networks: networksOf(kernel), clock: systemClock }
  return ask(words, { settings, view, nodeName: view?.nodeName ?? nodeName(settings, hostName()), ...parts })
}

/** Rules can be followed without a cluster; names and reasons cannot be given. */
async function viewOrNone(invocation: ViewQuestion) {
  try {
    return await clusterView(invocation)
  } catch (error) {
    if (!(error instanceof NoCluster)) throw error
    complain(`From the rules of this kernel alone: ${error.message}.`)
    return undefined
  }
}

function textOf(explanations: readonly Explanation[]): string {
  return explanations.map(explanationText).join('\n\n')
}
