import type { Invocation } from '#command-line/start.ts'
import type { Cluster } from '#proxy/cluster/cluster.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import type { CommentLimit } from '#proxy/node/endpoint-comments.ts'
import { type HostNetwork, nodeReader } from '#proxy/node/node-view.ts'
import { Draft } from '#proxy/sync/draft.ts'
import type { Family } from '#values/address.ts'

// A cluster → the rules this node would have for it.

export interface RulesOptions {
  readonly mode: Mode
  readonly family: Family
  readonly nodeName: string
  readonly hostNetwork: HostNetwork
  readonly comments?: CommentLimit
}

export function rulesOf(cluster: Cluster, invocation: Pick<Invocation, 'settings'>, options: RulesOptions): Ruleset {
  return bookOf(cluster, invocation, options).rules
}

/** The rules with their owners. */
export function bookOf(
  cluster: Cluster,
  { settings }: Pick<Invocation, 'settings'>,
  { mode, hostNetwork, ...about }: RulesOptions,
): Draft['book'] {
  const draft = new Draft(cluster, mode, nodeReader({ settings, ...about, hostNetwork: () => hostNetwork }))
  draft.update()
  return draft.book
}
