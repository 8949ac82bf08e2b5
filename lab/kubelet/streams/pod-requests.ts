import { Refused } from '#lab/api-server/requests/answers.ts'
import type {
  ExecOptions,
  ExecSession,
  LogOptions,
  PodContainer,
  PodStreams,
} from '#lab/api-server/streams/pod-streams.ts'
import { allContainers } from '../pod/stands.ts'
import type { ContainerRun } from '../runtime/pod-runtime.ts'
import type { NodePods } from '../worker/node-pods.ts'
import type { PodWorker } from '../worker/pod-worker.ts'

// `logs` and `exec` of a pod → its container's, or a refusal in a kubelet's words.

export class PodRequests implements PodStreams {
  /** Undefined until the kubelet knows its pods. */
  readonly #pods: () => NodePods | undefined

  constructor(pods: () => NodePods | undefined) {
    this.#pods = pods
  }

  logs(asked: PodContainer, options: LogOptions): AsyncIterable<Uint8Array> {
    const { worker, container } = this.#find(asked)
    if (options.previous) {
      const previous = worker.run(container, 'previous')
      if (previous !== undefined) return previous.log(options)
      throw new Refused(400, `previous terminated container "${container}" in pod "${asked.name}" not found`)
    }
    const run = worker.run(container, 'now')
    if (run !== undefined) return run.log(options)
    throw new Refused(400, `container "${container}" in pod "${asked.name}" is waiting to start: ContainerCreating`)
  }

  exec(asked: PodContainer, options: ExecOptions): ExecSession {
    const { worker, container } = this.#find(asked)
    const run: ContainerRun | undefined = worker.isRunning(container) ? worker.run(container, 'now') : undefined
    if (run !== undefined) return run.exec(options)
    throw new Refused(500, `unable to upgrade connection: container not found ("${container}")`)
  }

  #find({ namespace, name, container }: PodContainer): { readonly worker: PodWorker; readonly container: string } {
    const worker = this.#pods()?.named(namespace, name)
    if (worker === undefined) throw new Refused(404, `pod "${namespace}/${name}" is not known to the kubelet`)
    return { worker, container: container ?? allContainers(worker.pod).at(-1)!.name }
  }
}
