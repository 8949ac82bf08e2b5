import type { Invocation } from '#command-line/start.ts'
import { type ApiChoice, apiChoice, namesApi } from './credentials.ts'
import { agentHere } from './from-agent.ts'
import { NoCluster } from './no-cluster.ts'

// A command line → the API server for what an agent does not know: what is named, that of the agent on this node, or what kubectl
// would use.

type Asked = Pick<Invocation['settings'], 'kubeconfig' | 'master' | 'context'>

export async function liveApi(settings: Asked): Promise<ApiChoice> {
  const choice = await knownApi(settings)
  if (!('why' in choice)) return choice
  throw new NoCluster(`${choice.why}: give --kubeconfig FILE, or objects with --filename FILE (-f)`)
}

/** Why there is none, where there is none. */
export async function knownApi(settings: Asked): Promise<ApiChoice | { readonly why: string }> {
  if (namesApi(settings)) return apiChoice(settings)
  const agent = await agentHere({ warning: () => {} })
  if (!('why' in agent) && namesApi(agent.settings)) {
    const choice = await apiChoice(agent.settings).catch(() => undefined)
    if (choice !== undefined && !('why' in choice))
      return { ...choice, from: `${choice.from}, that of the agent on this node`, nodeName: agent.nodeName }
  }
  const choice = await apiChoice(settings)
  return 'why' in choice
    ? { why: `${choice.why}, ${'why' in agent ? agent.why : 'the agent on this node names no API server'}` }
    : choice
}
