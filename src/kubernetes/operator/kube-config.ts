import type { RequestOptions } from 'node:https'
import type { Cluster, User } from '@kubernetes/client-node'
import { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import type { Access, Credentials, Tls } from '#kubernetes/access/credentials.ts'
import { type NamedEntry, parseKubeconfig } from '#kubernetes/access/kubeconfig-text.ts'
import { serverFrom } from '#kubernetes/access/login.ts'
import { CredentialsProblem, unreadable } from '#kubernetes/access/problem.ts'

// Kubeconfig files as kubectl reads them → credentials of one of their contexts: with plugins, OIDC and all else that the ecosystem's
// client knows. It is large, so it is in a chunk that operators' verbs alone load.

export interface KubeconfigFile {
  readonly path: string
  readonly text: string
}

export interface KubeconfigChoice {
  /** Of two entries of one name, the first counts. */
  readonly files: readonly [KubeconfigFile, ...KubeconfigFile[]]
  /** Absent: the current one. */
  readonly context?: string
  /** In place of the server in the file. */
  readonly master?: string
}

export interface ChosenContext {
  readonly context: string
  /** Of the context: where names stand without one. */
  readonly namespace: string
  readonly credentials: Credentials
}

/** Fails with one line that names file, field and value. */
export function chosenContext(choice: KubeconfigChoice): ChosenContext {
  const config = merged(choice.files)
  const context = contextIn(config, choice)
  config.setCurrentContext(context)
  const cluster = config.getCurrentCluster()
  if (cluster === null) {
    const named = config.getContextObject(context)?.cluster ?? ''
    throw problem(choice, `context ${JSON.stringify(context)}: cluster ${JSON.stringify(named)} is not among clusters`)
  }
  const server = serverFrom(choice.master ?? cluster.server, 'tls')
  if (server === undefined) {
    throw problem(choice, `cluster ${JSON.stringify(cluster.name)}: server ${JSON.stringify(cluster.server)} is no URL`)
  }
  // It would make an agent for its own transport, which knows fewer proxies than ours.
  config.clusters = config.clusters.map(({ proxyUrl: _, ...rest }) => rest)
  const user = config.getCurrentUser()
  if (user?.exec) user.exec.env = [...(user.exec.env ?? []), execInfo(user.exec, cluster)]
  const { namespace = 'default' } = config.getContextObject(context) ?? {}
  return { context, namespace, credentials: new ConfigCredentials(config, { ...server, cluster, user }) }
}

function merged(files: KubeconfigChoice['files']): KubeConfig {
  const [first, ...more] = files.map(loaded)
  for (const one of more) {
    // Its own way fails where a name comes twice; kubectl takes the first.
    const names = (list: readonly { readonly name: string }[]) => new Set(list.map(({ name }) => name))
    const [clusters, users, contexts] = [names(first!.clusters), names(first!.users), names(first!.contexts)]
    one.clusters = one.clusters.filter(({ name }) => !clusters.has(name))
    one.users = one.users.filter(({ name }) => !users.has(name))
    one.contexts = one.contexts.filter(({ name }) => !contexts.has(name))
    first!.mergeConfig(one, Boolean(first!.currentContext))
  }
  return first!
}

function loaded({ path, text }: KubeconfigFile): KubeConfig {
  // What is no kubeconfig is named with its line, which the client does not.
  const { users } = parseKubeconfig(path, text)
  const config = new KubeConfig()
  try {
    config.loadFromString(text)
  } catch (error) {
    throw new CredentialsProblem(`${path}: ${(error as Error).message}`)
  }
  config.users = config.users.map(user => withTokenFile(user, users))
  config.makePathsAbsolute(path.slice(0, path.lastIndexOf('/') + 1) || '.')
  return config
}

/** The client passes over a token that is in a file. */
function withTokenFile(user: User, entries: readonly NamedEntry[]): User {
  const tokenFile = entries.find(({ name }) => name === user.name)?.fields.tokenFile
  if (typeof tokenFile !== 'string' || tokenFile === '' || user.token) return user
  return { ...user, authProvider: { name: 'tokenFile', config: { tokenFile } } }
}

function contextIn(config: KubeConfig, choice: KubeconfigChoice): string {
  const names = config.contexts.map(({ name }) => name)
  const listed = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`
  const wanted = choice.context ?? config.currentContext
  if (!wanted) throw problem(choice, `current-context is not set: --context names one (${listed})`)
  if (names.includes(wanted)) return wanted
  if (choice.context === undefined)
    throw problem(choice, `current-context is ${JSON.stringify(wanted)}, which is no context (${listed})`)
  throw new CredentialsProblem(
    `--context: ${JSON.stringify(wanted)} is no context of ${pathsOf(choice.files)}: ${listed}`,
  )
}

function problem({ files }: KubeconfigChoice, what: string): CredentialsProblem {
  return new CredentialsProblem(`${pathsOf(files)}: ${what}`)
}

function pathsOf(files: KubeconfigChoice['files']): string {
  return files.map(({ path }) => path).join(' and ')
}

/** What a credential plugin is given by kubectl; several refuse to work without it. */
function execInfo(
  exec: NonNullable<User['exec']>,
  cluster: Cluster,
): { readonly name: string; readonly value: string } {
  const spec = {
    interactive: false,
    ...(exec.provideClusterInfo && {
      cluster: { server: cluster.server, 'certificate-authority-data': cluster.caData },
    }),
  }
  const value = JSON.stringify({ apiVersion: exec.apiVersion, kind: 'ExecCredential', spec })
  return { name: 'KUBERNETES_EXEC_INFO', value }
}

interface Reached {
  readonly origin: string
  readonly prefix: string
  readonly secure: 'tls' | 'plain'
  readonly cluster: Cluster
  readonly user: User | null
}

class ConfigCredentials implements Credentials {
  readonly #config: KubeConfig
  readonly #reached: Reached

  constructor(config: KubeConfig, reached: Reached) {
    this.#config = config
    this.#reached = reached
  }

  async access(): Promise<Access> {
    const { origin, prefix, secure, cluster } = this.#reached
    const where = { origin, prefix, ...(cluster.proxyUrl && { proxy: cluster.proxyUrl }) }
    // No secret goes over a connection without TLS.
    if (secure === 'plain') return { ...where, headers: {}, tls: { rejectUnauthorized: true } }
    const options: RequestOptions = {}
    await this.#apply(options)
    const headers = { ...(options.headers as Access['headers']), ...this.#password() }
    return { ...where, headers, tls: tlsOf(options) }
  }

  /** The client looks at the times of a credential, and asks for another by itself. */
  rejected(): void {}

  async #apply(options: RequestOptions): Promise<void> {
    const { user } = this.#reached
    try {
      await this.#config.applyToHTTPSOptions(options)
    } catch (error) {
      const plugin = user?.exec?.command
      const { message, code } = error as NodeJS.ErrnoException
      const why = code === undefined ? message.trim() || 'it ended without a word' : unreadable(error)
      throw new CredentialsProblem(
        plugin === undefined
          ? `user ${JSON.stringify(user?.name ?? '')}: ${why}`
          : `user ${JSON.stringify(user?.name)}: the credential plugin ${JSON.stringify(plugin)} failed: ${why}`,
      )
    }
  }

  #password(): Access['headers'] {
    const { user } = this.#reached
    if (!user?.username) return {}
    return { authorization: `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}` }
  }
}

function tlsOf({ ca, cert, key, servername, rejectUnauthorized }: RequestOptions): Tls {
  const texts = Object.entries({ ca, cert, key }).filter(([, value]) => value !== undefined)
  return {
    rejectUnauthorized: rejectUnauthorized !== false,
    ...Object.fromEntries(texts.map(([name, value]) => [name, String(value)])),
    ...(servername !== undefined && { servername }),
  }
}
