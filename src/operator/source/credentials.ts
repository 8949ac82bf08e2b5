import type { Invocation } from '#command-line/start.ts'
import { type Credentials, credentialsFrom } from '#kubernetes/access/credentials.ts'
import { CredentialsProblem, unreadable } from '#kubernetes/access/problem.ts'
import { systemClock } from '#system/clock.ts'
import { readText } from '#system/files.ts'
import { environment } from '#system/host.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// A command line and its environment → which API server is meant, in the order in which kubectl looks, and credentials for it.

export interface ApiChoice {
  /** `context kind of /root/.kube/config` */
  readonly from: string
  readonly by: 'kubeconfig' | 'master' | 'service account'
  /** Of the agent whose API server it is. */
  readonly nodeName?: string
  readonly namespace: string
  readonly credentials: Credentials
}

type Chosen = Pick<Invocation['settings'], 'kubeconfig' | 'master' | 'context'>
type Environment = ReturnType<typeof environment>

/** Whether the command line itself says which API server is meant. */
export function namesApi({ kubeconfig, master, context }: Chosen): boolean {
  return kubeconfig !== undefined || master !== undefined || context !== undefined
}

/** Why there is none. */
export interface NoApi {
  readonly why: string
}

/** --kubeconfig, --master; then $KUBECONFIG, ~/.kube/config, and the service account of a pod. */
export async function apiChoice(settings: Chosen, env: Environment = environment()): Promise<ApiChoice | NoApi> {
  const { kubeconfig, master, context } = settings
  if (kubeconfig !== undefined) return ofFiles([kubeconfig], settings, '--kubeconfig')
  const listed = (env.KUBECONFIG ?? '').split(':').filter(path => path !== '')
  if (listed.length > 0) return ofFiles(listed, settings, '$KUBECONFIG')
  const home = env.HOME === undefined || env.HOME === '' ? undefined : `${env.HOME}/.kube/config`
  if (home !== undefined && (await textOf(home)).text !== undefined) return ofFiles([home], settings, '~/.kube/config')
  if (master !== undefined) return otherwise('master', { master }, `--master ${master}`)
  const why = `no kubeconfig ($KUBECONFIG is not set, ${home === undefined ? 'nor is $HOME' : `there is no ${home}`})`
  if (context !== undefined) throw new CredentialsProblem(`--context: ${JSON.stringify(context)} is of no file: ${why}`)
  if (!env.KUBERNETES_SERVICE_HOST) return { why }
  return otherwise('service account', {}, 'the service account of this pod')
}

async function ofFiles(paths: readonly string[], settings: Chosen, named: string): Promise<ApiChoice> {
  const read = await Promise.all(paths.map(async path => ({ path, ...(await textOf(path)) })))
  const files = read.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]))
  const [first, ...more] = files
  // As kubectl: of several, some may be missing.
  if (first === undefined) {
    const missing = read.map(({ path, why }) => `${path}: ${why}`).join(', ')
    throw new CredentialsProblem(`${named}: cannot read the kubeconfig (${missing})`)
  }
  const { context, master } = settings
  const { chosenContext } = await import('#kubernetes/operator/kube-config.ts')
  const chosen = chosenContext({
    files: [first, ...more],
    ...(context !== undefined && { context }),
    ...(master !== undefined && { master }),
  })
  return {
    ...chosen,
    by: 'kubeconfig',
    from: `context ${chosen.context} of ${files.map(({ path }) => path).join(', ')}`,
  }
}

async function otherwise(by: ApiChoice['by'], options: { readonly master?: string }, from: string): Promise<ApiChoice> {
  const parts = { env: environment(), files: { readText }, kernel: hostKernel(), clock: systemClock }
  return { from, by, namespace: 'default', credentials: await credentialsFrom({ ...options, ...parts }) }
}

async function textOf(path: string): Promise<{ readonly text?: string; readonly why?: string }> {
  try {
    return { text: await readText(path) }
  } catch (error) {
    return { why: unreadable(error) }
  }
}
