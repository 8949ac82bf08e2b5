import { dirname, isAbsolute, join } from 'node:path'
import { type Cluster, KubeConfig, type User } from '@kubernetes/client-node'
import { identityFrom } from './identity.ts'
import {
  type Chosen,
  type KubeconfigText,
  type NamedEntry,
  parseKubeconfig,
  shown,
  textField,
} from './kubeconfig-text.ts'
import type { Login, Material, Server } from './login.ts'
import { CredentialsProblem } from './problem.ts'
import { SERVER_FORM, serverFrom } from './server-url.ts'

// The text of a kubeconfig → how to log in. Only the entries of its current context are looked at.

export interface KubeconfigSource {
  readonly file: string
  readonly text: string
  /** Stands in for the server of the cluster entry. */
  readonly master?: string
}

const CLUSTER_TEXTS = ['server', 'certificate-authority', 'certificate-authority-data', 'tls-server-name', 'proxy-url']
const USER_TEXTS = ['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data', 'token']
const USER_TEXTS_MORE = ['tokenFile', 'username', 'password', 'as', 'as-uid']
const NOBODY: NamedEntry = { name: '', at: 'users', fields: {} }

export function loginFromKubeconfig({ file, text, master }: KubeconfigSource): Login {
  const chosen = choose(parseKubeconfig(file, text))
  for (const field of CLUSTER_TEXTS) textField(file, chosen.cluster, field)
  for (const field of [...USER_TEXTS, ...USER_TEXTS_MORE]) textField(file, chosen.user, field)
  const { cluster, user } = translated(chosen, master)
  const parts = {
    ca: material(chosen.cluster, 'certificate-authority', { file, path: cluster.caFile, base64: cluster.caData }),
    cert: material(chosen.user, 'client-certificate', { file, path: user.certFile, base64: user.certData }),
    key: material(chosen.user, 'client-key', { file, path: user.keyFile, base64: user.keyData }),
  }
  mustBePair(chosen, parts)
  mustBeProxy(chosen, cluster.proxyUrl)
  const hasTls = cluster.skipTLSVerify || parts.ca !== undefined || parts.cert !== undefined
  // As client-go has it: the name in the certificate belongs to the server that was overridden.
  const servername = master === undefined ? cluster.tlsServerName : undefined
  return {
    server: serverOf(chosen, cluster, hasTls ? 'tls' : 'plain'),
    ...defined({ ...parts, servername, proxy: cluster.proxyUrl }),
    verify: cluster.skipTLSVerify ? 'nothing' : 'certificate',
    ...identityFrom(chosen, user, path => fromFolderOf(file, path)),
  }
}

function choose(config: KubeconfigText): Chosen {
  const { file, currentContext } = config
  if (config.clusters.length === 0) {
    throw new CredentialsProblem(`${file}: clusters is empty: must have at least one cluster with a server`)
  }
  const names = config.contexts.map(({ name }) => name).join(', ') || 'none'
  if (currentContext === undefined || currentContext === null || currentContext === '') {
    throw new CredentialsProblem(`${file}: current-context is not set: must be one of contexts (${names})`)
  }
  const context = config.contexts.find(({ name }) => name === currentContext)
  if (context === undefined) {
    throw new CredentialsProblem(
      `${file}: current-context is ${shown(currentContext)}: must be one of contexts (${names})`,
    )
  }
  const cluster = referred(config, context, 'cluster')
  if (cluster === undefined) throw new CredentialsProblem(`${file}: ${context.at}.cluster is not set`)
  return { file, cluster, user: referred(config, context, 'user') ?? NOBODY }
}

function referred(config: KubeconfigText, context: NamedEntry, field: 'cluster' | 'user'): NamedEntry | undefined {
  const wanted = textField(config.file, context, field)
  if (wanted === undefined) return undefined
  const list = config[`${field}s`]
  const found = list.find(({ name }) => name === wanted)
  if (found !== undefined) return found
  const names = list.map(({ name }) => name).join(', ') || 'none'
  throw new CredentialsProblem(
    `${config.file}: ${context.at}.${field} is "${wanted}": must be one of ${field}s (${names})`,
  )
}

/** Kubernetes' own client reads the fields. What it would read from disk itself, and only once, is kept from it. */
function translated({ cluster, user }: Chosen, master: string | undefined): { cluster: Cluster; user: User } {
  const { 'token-file': _, ...userFields } = user.fields
  const kubeConfig = new KubeConfig()
  kubeConfig.loadFromString(
    JSON.stringify({
      clusters: [{ name: 'it', cluster: { ...cluster.fields, server: master ?? (cluster.fields.server || ' ') } }],
      users: [{ name: 'it', user: userFields }],
      contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
      'current-context': 'it',
    }),
  )
  return { cluster: kubeConfig.getCurrentCluster()!, user: kubeConfig.getCurrentUser()! }
}

function serverOf({ file, cluster }: Chosen, { server: text }: Cluster, bareHost: 'tls' | 'plain'): Server {
  const server = serverFrom(text.trim(), bareHost)
  if (server !== undefined) return server
  const said = text.trim() === '' ? 'is not set' : `is "${text}"`
  throw new CredentialsProblem(`${file}: ${cluster.at}.server ${said}: ${SERVER_FORM}`)
}

interface Found {
  readonly file: string
  readonly path: string | undefined
  readonly base64: string | undefined
}

/** Inline text goes before a file, as in client-go; client-node has it the other way round. */
function material({ at }: NamedEntry, field: string, { file, path, base64 }: Found): Material | undefined {
  if (base64) {
    const text = Buffer.from(base64, 'base64').toString('latin1')
    if (text.includes('-----BEGIN ')) return { from: 'text', text }
    throw new CredentialsProblem(`${file}: ${at}.${field}-data is not a PEM document in base64`)
  }
  return path ? { from: 'file', path: fromFolderOf(file, path), named: `${at}.${field} of ${file}` } : undefined
}

function mustBePair({ file, user }: Chosen, { cert, key }: { readonly cert?: unknown; readonly key?: unknown }): void {
  if ((cert === undefined) === (key === undefined)) return
  const [has, lacks] = cert === undefined ? ['client-key', 'client-certificate'] : ['client-certificate', 'client-key']
  throw new CredentialsProblem(`${file}: ${user.at} has a ${has} but no ${lacks}: must have both or neither`)
}

function mustBeProxy({ file, cluster }: Chosen, url: string | undefined): void {
  if (!url || ['http:', 'https:', 'socks5:'].includes(URL.parse(url)?.protocol ?? '')) return
  throw new CredentialsProblem(
    `${file}: ${cluster.at}.proxy-url is "${url}": must be http://…, https://… or socks5://HOST:PORT`,
  )
}

function fromFolderOf(file: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(file), path)
}

function defined<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== '')
  return Object.fromEntries(kept) as { [K in keyof T]?: NonNullable<T[K]> }
}
