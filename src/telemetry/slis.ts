import { Registry } from './exposition.ts'

// Requests to /healthz on the metrics port, and their success → the page of SLIs that every Kubernetes component has.

export class Slis {
  readonly #registry = new Registry()
  readonly #result = this.#registry.gauge({
    name: 'kubernetes_healthcheck',
    help: '[STABLE] This metric records the result of a single healthcheck.',
    labels: ['name', 'type'],
  })
  readonly #results = this.#registry.counter({
    name: 'kubernetes_healthchecks_total',
    help: '[STABLE] This metric records the results of all healthcheck.',
    labels: ['name', 'status', 'type'],
  })

  /** When this process began, in milliseconds since the epoch. */
  constructor(startedAt: number) {
    const help = '[ALPHA] Start time of the process since unix epoch in seconds.'
    this.#registry.gauge({ name: 'process_start_time_seconds', help }).set({}, startedAt / 1000)
  }

  pinged(): void {
    this.#result.set({ name: 'ping', type: 'healthz' }, 1)
    this.#results.add({ name: 'ping', status: 'success', type: 'healthz' })
  }

  text(): string {
    return this.#registry.text()
  }
}
