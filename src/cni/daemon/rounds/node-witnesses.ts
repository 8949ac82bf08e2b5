import { apiWitness } from '#ipam/witnesses/api-witness.ts'
import { type NamespaceLook, namespaceWitness } from '#ipam/witnesses/namespace-witness.ts'
import { runtimeWitness } from '#ipam/witnesses/runtime-witness.ts'
import { WITNESSES, type WitnessName } from '#ipam/witnesses/verdict.ts'
import type { Witness } from '#ipam/witnesses/witness.ts'
import type { NodePod } from '#kubernetes/decode/pod.ts'
import { podsOnNode } from '#kubernetes/pod-list.ts'
import type { Networks } from '#system/network/network.ts'
import { type PlainFiles, plainFiles } from '#system/plain-files.ts'
import type { Clock } from '#system/ports.ts'
import { portOwners } from '../../plugins/bridge/links/ports.ts'
import type { NodeApi } from './node-api.ts'

// Who is asked whether a lease is in use: the namespaces of this node, its runtime, and the API server where one is configured.

export interface NodeWitnesses {
  readonly names: readonly WitnessName[]
  readonly of: (look: NamespaceLook) => readonly Witness[]
  /** Why the API server could not be asked last time; undefined where it could, or was not. */
  readonly apiFailure: () => string | undefined
}

export interface NodeWitnessParts {
  readonly api: NodeApi | undefined
  readonly networks: Networks
  readonly clock: Clock
  /** Those of this machine, unless a test has others. */
  readonly files?: PlainFiles
}

export function nodeWitnesses({ api, networks, clock, files = plainFiles }: NodeWitnessParts): NodeWitnesses {
  let failure: string | undefined
  const pods = async ({ transport, nodeName }: NodeApi): Promise<readonly NodePod[]> => {
    try {
      const listed = await podsOnNode({ transport: await transport(), nodeName, clock })
      failure = undefined
      return listed
    } catch (error) {
      failure = reasonOf(error)
      throw error
    }
  }
  return {
    names: api === undefined ? WITNESSES.filter(name => name !== 'api') : WITNESSES,
    of: look => [
      namespaceWitness({ look, portOwners: () => portOwners(networks) }),
      runtimeWitness(files),
      ...(api === undefined ? [] : [apiWitness(() => pods(api))]),
    ],
    apiFailure: () => failure,
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
