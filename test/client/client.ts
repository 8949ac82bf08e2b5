import { type ApiException, KubeConfig, type V1Status } from '@kubernetes/client-node'
import type { ApiServer } from '#lab/api-server/server.ts'

// How the tests of this folder reach the lab's API server: through @kubernetes/client-node, which is generated from
// Kubernetes' own description of its API and knows nothing of the lab.

export function configFor({ url }: Pick<ApiServer, 'url'>): KubeConfig {
  const config = new KubeConfig()
  config.loadFromOptions({
    // client-node takes an http:// server only where TLS need not be verified.
    clusters: [{ name: 'lab', server: url, skipTLSVerify: true }],
    users: [{ name: 'test' }],
    contexts: [{ name: 'lab', cluster: 'lab', user: 'test' }],
    currentContext: 'lab',
  })
  return config
}

/** The Status of a refused call. client-node gives it as text where the description has no answer of that code. */
export async function refusal(call: Promise<unknown>): Promise<V1Status> {
  const error = await call.then(
    () => undefined,
    (error: ApiException<V1Status | string>) => error,
  )
  if (error === undefined) throw new Error('the call was not refused')
  const { body } = error
  return typeof body === 'string' ? (JSON.parse(body) as V1Status) : body
}
