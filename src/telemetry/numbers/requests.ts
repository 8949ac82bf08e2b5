import type { MetricOptions, Registry } from '#telemetry/exposition.ts'

// Requests to the API server → the metrics that every Kubernetes client in Go has of them: names, labels, buckets and help
// texts of client-go. Not those of its rate limiter, its cache of connections and its credential plugins: what they count
// does not exist here.

const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]
const BYTES = [64, 256, 512, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216]

export interface RequestResult {
  readonly host: string
  readonly method: string
  readonly code: string
}

export interface MeasuredRequest {
  readonly host: string
  readonly method: string
  readonly tookMs: number
  readonly sentBytes: number
  readonly receivedBytes: number
}

export class RequestMetrics {
  readonly #metrics: ReturnType<typeof requestMetrics>

  constructor(registry: Registry) {
    this.#metrics = requestMetrics(registry)
  }

  requested({ host, method, code }: RequestResult): void {
    this.#metrics.requests.add({ code, host, method })
  }

  finished({ host, method: verb, tookMs, sentBytes, receivedBytes }: MeasuredRequest): void {
    this.#metrics.duration.observe({ host, verb }, tookMs / 1000)
    this.#metrics.sent.observe({ host, verb }, sentBytes)
    this.#metrics.received.observe({ host, verb }, receivedBytes)
  }
}

function requestMetrics(registry: Registry) {
  const by = 'Broken down by verb'
  return {
    requests: registry.counter(
      named('requests_total', 'Number of HTTP requests, partitioned by status code, method, and host.', [
        'code',
        'host',
        'method',
      ]),
    ),
    duration: registry.histogram(
      SECONDS,
      named('request_duration_seconds', `Request latency in seconds. ${by}, and host.`, ['host', 'verb']),
    ),
    sent: registry.histogram(
      BYTES,
      named('request_size_bytes', `Request size in bytes. ${by} and host.`, ['host', 'verb']),
    ),
    received: registry.histogram(
      BYTES,
      named('response_size_bytes', `Response size in bytes. ${by} and host.`, ['host', 'verb']),
    ),
  }
}

function named<const Name extends string>(name: string, help: string, labels: readonly Name[]): MetricOptions<Name> {
  return { name: `rest_client_${name}`, help: `[ALPHA] ${help}`, labels }
}
