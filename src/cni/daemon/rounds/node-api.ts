import { nodeName, type Settings } from '#config/settings.ts'
import type { Credentials } from '#kubernetes/access/credentials.ts'
import type { ApiTransport } from '#kubernetes/transport.ts'
import { environment, hostName } from '#system/host.ts'
import { type PlainFiles, plainFiles } from '#system/plain-files.ts'
import type { ApiTransportParts } from './api-transport.ts'

// Settings → the API server, where one is configured. Its client is loaded, and its credentials are read, when it is first asked.

export type ApiSettings = Pick<Settings, 'kubeconfig' | 'master' | 'hostnameOverride'>

export interface NodeApi {
  readonly nodeName: string
  /** The name the operating system has for this host. */
  readonly hostname: string
  /** Rejects where the credentials cannot be used, and is tried again with the next call. */
  transport(): Promise<ApiTransport>
  close(): Promise<void>
}

/** Files and environment are those of this machine, unless a test has others. */
export interface NodeApiOptions extends Omit<ApiTransportParts, 'settings' | 'env'> {
  readonly settings: ApiSettings
  readonly env?: ApiTransportParts['env']
  readonly files?: PlainFiles
  /** In place of what the settings say. */
  readonly credentials?: Credentials
}

/** Undefined where none is configured. */
export async function nodeApi(parts: NodeApiOptions): Promise<NodeApi | undefined> {
  const { settings, kernel, clock, files = plainFiles, env = environment(), credentials } = parts
  if (credentials === undefined && !(await isConfigured(settings, env, files))) return undefined
  const hostname = hostName()
  let open: Promise<ApiTransport> | undefined
  const begin = async (): Promise<ApiTransport> => {
    const { apiTransport } = await import('./api-transport.ts')
    return apiTransport({ settings, kernel, clock, env, ...(credentials !== undefined && { credentials }) })
  }
  return {
    nodeName: nodeName(settings, hostname),
    hostname,
    async transport() {
      open ??= begin()
      try {
        return await open
      } catch (error) {
        open = undefined
        throw error
      }
    },
    async close() {
      const transport = await open?.catch(() => undefined)
      await transport?.close()
    },
  }
}

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

/** Every container in a cluster knows where the API server is; it has a token only where it is to ask something. */
async function isConfigured(settings: ApiSettings, env: ApiTransportParts['env'], files: PlainFiles): Promise<boolean> {
  if (settings.kubeconfig !== undefined || settings.master !== undefined) return true
  return Boolean(env.KUBERNETES_SERVICE_HOST) && (await files.read(TOKEN)) !== undefined
}
