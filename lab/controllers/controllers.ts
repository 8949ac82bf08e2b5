import type { ClusterClient } from '#lab/client/cluster-client.ts'
import type { Clock } from '#system/ports.ts'
import { deployments } from './deployments/deployments.ts'
import { classicEndpoints } from './endpoint-slices/classic-endpoints.ts'
import { endpointSlices } from './endpoint-slices/endpoint-slices.ts'
import { EventRecorder } from './events/event-recorder.ts'
import { garbage } from './garbage/garbage.ts'
import type { Controller } from './loop/controller.ts'
import { runController } from './loop/running.ts'
import { namespaces } from './namespaces/namespaces.ts'
import { nodeLife } from './nodes/node-life.ts'
import { orphanedPods } from './nodes/orphaned-pods.ts'
import { replicaSets } from './replica-sets/replica-sets.ts'
import { scheduler } from './scheduler/scheduler.ts'
import { CONTROLLER_SETTINGS, type ControllerSettings } from './settings.ts'

// What kube-controller-manager and kube-scheduler do, as far as a small cluster needs it.

export interface ControllersParts {
  readonly client: ClusterClient
  readonly clock: Clock
  /** One line about what could not be done and is tried again. */
  readonly log: (line: string) => void
  readonly settings?: Partial<ControllerSettings>
}

export interface Controllers {
  /** Resolves when nothing is under way. */
  close(): Promise<void>
}

export function startControllers({ client, clock, log, settings }: ControllersParts): Controllers {
  const recorder = new EventRecorder({ client, clock })
  const parts = { client, clock, record: recorder.record.bind(recorder), onTrouble: log }
  const running = allControllers(client, { ...CONTROLLER_SETTINGS, ...settings }).map(it => runController(it, parts))
  return {
    close: async () => {
      await Promise.all(running.map(one => one.close()))
      await recorder.close()
    },
  }
}

function allControllers(client: ClusterClient, settings: ControllerSettings): readonly Controller[] {
  return [
    ...[scheduler(), deployments(), replicaSets(), endpointSlices(), classicEndpoints()],
    ...[nodeLife(settings), orphanedPods(client, settings), namespaces(client), garbage(client)],
  ]
}
