import type { ObjectName } from '#values/names.ts'

// What a load balancer asks at a healthCheckNodePort → the answer, byte for byte as kube-proxy gives it.

export interface HealthCheckState {
  readonly service: ObjectName
  /** Ready endpoints on this node. */
  readonly count: number
  /** Whether the proxy itself works. */
  readonly healthy: boolean
}

export interface HealthCheckAnswer {
  readonly status: 200 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** 200 only where this node has a ready endpoint and rules that lead to it. */
export function healthCheckAnswer({ service, count, healthy }: HealthCheckState): HealthCheckAnswer {
  const [namespace, name] = service.split('/')
  const body = { service: { namespace, name }, localEndpoints: count, serviceProxyHealthy: healthy }
  return {
    status: count > 0 && healthy ? 200 : 503,
    headers: {
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
      'X-Load-Balancing-Endpoint-Weight': String(count),
    },
    body: JSON.stringify(body, null, '\t'),
  }
}
