import type { Settings } from '#config/settings.ts'
import { type Credentials, credentialsFrom } from '#kubernetes/access/credentials.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import { readText } from '#system/files.ts'
import type { Clock, Kernel } from '#system/ports.ts'

// Settings → connections to the API server. In a chunk of its own: a daemon that has no API server to ask does without 10 MB of
// HTTP client.

export interface ApiTransportParts {
  readonly settings: Pick<Settings, 'kubeconfig' | 'master'>
  readonly kernel: Kernel
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  /** In place of what the settings say. */
  readonly credentials?: Credentials
}

export async function apiTransport(parts: ApiTransportParts): Promise<ApiTransport> {
  const { settings, kernel, clock, env } = parts
  const { kubeconfig, master } = settings
  const access = { ...(kubeconfig !== undefined && { kubeconfig }), ...(master !== undefined && { master }) }
  const credentials =
    parts.credentials ?? (await credentialsFrom({ ...access, env, files: { readText }, kernel, clock }))
  return new ApiTransport({ credentials })
}
