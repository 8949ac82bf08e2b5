import { dirname, isAbsolute, join } from 'node:path'
import { identityFrom } from './identity.ts'
import {
  type Chosen,
  type KubeconfigText,
  type NamedEntry,
  parseKubeconfig,
  shown,
  switchField,
  type Texts,
  textField,
  textFields,
} from './kubeconfig-text.ts'
import { type Login, type Material, SERVER_FORM, type Server, serverFrom } from './login.ts'
import { CredentialsProblem } from './problem.ts'

// The text of a kubeconfig → how to log in. Only the entries of its current context are looked at.

export interface KubeconfigSource {
  readonly file: string
  readonly text: string
  /** Stands in for the server of the cluster entry. */
  readonly master?: string
}

const CLUSTER_TEXTS = [
  'server',
  'certificate-authority',
  'certificate-authority-data',
  'tls-server-name',
  'proxy-url',
] as const
const USER_TEXTS = [
  ...(['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data'] as const),
  ...(['token', 'tokenFile', 'username', 'password'] as const),
] as const
const NO_USER: NamedEntry = { name: '', at: 'users', fields: {} }

export function loginFromKubeconfig({ file, text, master }: KubeconfigSource): Login {
  const chosen = choose(parseKubeconfig(file, text))
  const cluster = textFields(file, chosen.cluster, CLUSTER_TEXTS)
  const user = textFields(file, chosen.user, USER_TEXTS)
  const parts = {
    ca: material({ file, entry: chosen.cluster, field: 'certificate-authority' }, cluster),
    cert: material({ file, entry: chosen.user, field: 'client-certificate' }, user),
    key: material({ file, entry: chosen.user, field: 'client-key' }, user),
  }
  mustBePair(chosen, parts)
  mustBeProxy(chosen, cluster['proxy-url'])
  const skips = switchField(file, chosen.cluster, 'insecure-skip-tls-verify')
  const hasTls = skips || parts.ca !== undefined || parts.cert !== undefined
  // As client-go has it: the name in the certificate belongs to the server that was overridden.
  const servername = master === undefined ? cluster['tls-server-name'] : undefined
  return {
    server: serverOf(chosen, master ?? cluster.server ?? '', hasTls ? 'tls' : 'plain'),
    ...defined({ ...parts, servername, proxy: cluster['proxy-url'] }),
    verify: skips ? 'nothing' : 'certificate',
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
  return { file, cluster, user: referred(config, context, 'user') ?? NO_USER }
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

function serverOf({ file, cluster }: Chosen, text: string, bareHost: 'tls' | 'plain'): Server {
  const server = serverFrom(text.trim(), bareHost)
  if (server !== undefined) return server
  const said = text.trim() === '' ? 'is not set' : `is "${text}"`
  throw new CredentialsProblem(`${file}: ${cluster.at}.server ${said}: ${SERVER_FORM}`)
}

interface Place<Field extends string> {
  readonly file: string
  readonly entry: NamedEntry
  readonly field: Field
}

/** Inline text goes before a file, as in client-go. */
function material<Field extends string>(
  { file, entry, field }: Place<Field>,
  texts: Texts<Field | `${Field}-data`>,
): Material | undefined {
  const [path, base64] = [texts[field], texts[`${field}-data`]]
  if (base64 !== undefined) {
    const text = Buffer.from(base64, 'base64').toString('latin1')
    if (text.includes('-----BEGIN ')) return { from: 'text', text }
    throw new CredentialsProblem(`${file}: ${entry.at}.${field}-data is not a PEM document in base64`)
  }
  if (path === undefined) return undefined
  return { from: 'file', path: fromFolderOf(file, path), named: `${entry.at}.${field} of ${file}` }
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
  const kept = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(kept) as { [K in keyof T]?: NonNullable<T[K]> }
}
