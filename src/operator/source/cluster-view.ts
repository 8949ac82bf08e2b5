import type { Invocation } from '#command-line/start.ts'
import { nodeName } from '#config/settings.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import { systemClock } from '#system/clock.ts'
import { hostName } from '#system/host.ts'
import { complain } from '#system/output.ts'
import { type ApiChoice, apiChoice, namesApi } from './credentials.ts'
import { type AgentHere, agentHere, gatherFromAgent } from './from-agent.ts'
import { gatherFromApi, nodesFromApi, podsFromApi } from './from-api.ts'
import { gatherFiles } from './from-files.ts'
import { NoCluster } from './no-cluster.ts'
import type { ClusterView } from './view.ts'

// A command line → the cluster it is about: that of files, of the agent that runs on this node, or of an API server. Which one it
// was is said on standard error, in one line.

export type ViewQuestion = Pick<Invocation, 'settings' | 'log'>

export async function clusterView(question: ViewQuestion): Promise<ClusterView> {
  const { settings, log } = question
  if (settings.filenames.length > 0) {
    const [name, from] = [ownName(settings), settings.filenames.join(', ')]
    const about = { settings, nodeName: name, namespace: 'default', from, by: 'files' as const }
    const gathered = await gatherFiles(settings.filenames, name, log)
    return { ...about, ...gathered, allNodes: async () => gathered.nodes }
  }
  const view = await liveView(question)
  complain(`From ${view.from}.`)
  return view
}

async function liveView(question: ViewQuestion): Promise<ClusterView> {
  const { settings, log } = question
  if (namesApi(settings)) return ofApi(question, required(await apiChoice(settings), ''))
  const agent = await agentHere(log)
  if (!('why' in agent)) return ofAgent(question, agent)
  const choice = required(await apiChoice(settings), agent.why)
  if (agent.isThere) log.warning(`${agent.why}; the API server is asked instead`)
  return ofApi(question, choice)
}

function required(choice: ApiChoice | { readonly why: string }, noAgent: string): ApiChoice {
  if (!('why' in choice)) return choice
  throw new NoCluster(
    `${choice.why}, ${noAgent}: give --kubeconfig FILE, or objects with --filename FILE (-f), or run this on a node whose agent runs`,
  )
}

async function ofApi({ settings, log }: ViewQuestion, choice: ApiChoice): Promise<ClusterView> {
  const nodeName = ownName(settings)
  const { credentials, namespace, from } = choice
  const gathered = await asking(choice, transport => gatherFromApi({ transport, nodeName, clock: systemClock, log }))
  const { origin } = await credentials.access()
  const pods = (): ReturnType<ClusterView['pods']> => podsOfApi(choice, log)
  return {
    settings,
    nodeName,
    namespace,
    from: `${from}: ${origin}`,
    by: 'api',
    pods,
    ...gathered,
    allNodes: async () => gathered.nodes,
  }
}

/** Why no node of the cluster is meant; undefined where one is, or none is known. */
export function noNode({
  cluster,
  nodes,
  nodeName: name,
}: Pick<ClusterView, 'cluster' | 'nodes' | 'nodeName'>): string | undefined {
  if (cluster.node !== undefined || nodes.length === 0) return undefined
  return `${JSON.stringify(name)} is none of the ${nodes.length} Nodes; --hostname-override says which one is meant`
}

/** Its settings shape the rules; what is only asked of this verb stays. */
async function ofAgent({ settings: own, log }: ViewQuestion, agent: AgentHere): Promise<ClusterView> {
  const { filenames, as, ipam, cni, routes, podRanges, questions } = own
  const family = own.family ?? agent.settings.family
  return {
    settings: {
      ...agent.settings,
      ...{ filenames, as, ipam, cni, routes, podRanges, questions },
      ...(family !== undefined && { family }),
    },
    nodeName: agent.nodeName,
    namespace: 'default',
    from: `the agent on this node: ${agent.nodeName}, mode ${agent.settings.mode}`,
    by: 'agent',
    agent: agent.socket,
    pods: () => beside(agent, choice => podsOfApi(choice, { ...log, warning: () => {} })),
    allNodes: () =>
      beside(agent, choice => asking(choice, transport => nodesFromApi({ transport, clock: systemClock }))),
    ...(await gatherFromAgent(agent, log)),
  }
}

/** An agent knows no pods and no other Nodes; its API server does, where we may ask it. */
async function beside<T>({ settings }: AgentHere, work: (choice: ApiChoice) => Promise<T>): Promise<T | undefined> {
  try {
    const choice = await apiChoice(settings)
    return 'why' in choice ? undefined : await work(choice)
  } catch {
    return undefined
  }
}

function podsOfApi(choice: ApiChoice, log: ViewQuestion['log']): ReturnType<ClusterView['pods']> {
  return asking(choice, transport => podsFromApi({ transport, clock: systemClock, log }))
}

async function asking<T>({ credentials }: ApiChoice, work: (transport: ApiTransport) => Promise<T>): Promise<T> {
  const transport = new ApiTransport({ credentials })
  try {
    return await work(transport)
  } finally {
    await transport.close()
  }
}

function ownName(settings: ViewQuestion['settings']): string {
  return nodeName(settings, hostName())
}
