import { dirname, isAbsolute, join } from 'node:path'
import {
  type Chosen,
  isFields,
  type KubeconfigFields,
  listField,
  type NamedEntry,
  shown,
  type Texts,
  textField,
} from './kubeconfig-text.ts'
import { type ExecPlugin, type Identity, isToken, type Login } from './login.ts'
import { CredentialsProblem } from './problem.ts'

// The user of a kubeconfig → the identity that requests have.

const EXEC_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

type UserTexts = Texts<'token' | 'tokenFile' | 'username' | 'password'>

export function identityFrom(
  chosen: Chosen,
  { tokenFile, ...user }: UserTexts,
  resolved: (path: string) => string,
): Pick<Login, 'identity' | 'impersonation'> {
  const { file, user: entry } = chosen
  const own = user.token === undefined ? {} : { token: user.token.trim() }
  if (own.token !== undefined && !isToken(own.token)) {
    throw new CredentialsProblem(`${file}: ${entry.at}.token is not one line of visible characters`)
  }
  return {
    identity:
      tokenFile === undefined
        ? withoutFile(chosen, { ...user, ...own })
        : {
            by: 'token-file',
            file: { from: 'file', path: resolved(tokenFile), named: `${entry.at}.tokenFile of ${file}` },
            ...own,
          },
    impersonation: impersonation(chosen),
  }
}

function withoutFile(chosen: Chosen, { token, username, password }: UserTexts): Identity {
  const { exec, 'auth-provider': provider } = chosen.user.fields
  if (token !== undefined) return { by: 'token', token }
  if (username !== undefined) return { by: 'password', username, password: password ?? '' }
  if (exec) return { by: 'exec', plugin: execPlugin(chosen, exec) }
  if (provider) throw noProvider(chosen, provider)
  return { by: 'nothing' }
}

function execPlugin({ file, user, cluster }: Chosen, exec: unknown): ExecPlugin {
  const at = `${user.at}.exec`
  if (!isFields(exec)) throw new CredentialsProblem(`${file}: ${at} is ${shown(exec)}: must be a mapping`)
  const entry = { name: user.name, at, fields: exec }
  const command = textField(file, entry, 'command')
  const apiVersion = textField(file, entry, 'apiVersion')
  if (command === undefined) throw new CredentialsProblem(`${file}: ${at}.command is not set: must be a program`)
  if (apiVersion === undefined || !EXEC_VERSIONS.includes(apiVersion)) {
    throw new CredentialsProblem(`${file}: ${at}.apiVersion is ${shown(apiVersion ?? '')}: must be ${EXEC_VERSIONS[0]}`)
  }
  if (exec.interactiveMode === 'Always') {
    throw new CredentialsProblem(
      `${file}: ${at}.interactiveMode is "Always": must be Never, there is no terminal to ask on`,
    )
  }
  const installHint = textField(file, entry, 'installHint')
  return {
    named: `${at} of ${file}`,
    argv: [
      command.includes('/') && !isAbsolute(command) ? join(dirname(file), command) : command,
      ...texts(file, entry, 'args'),
    ],
    env: variables(listField(file, entry, 'env')),
    apiVersion,
    ...(installHint === undefined ? {} : { installHint }),
    ...(exec.provideClusterInfo === true ? { cluster: clusterFacts(cluster.fields) } : {}),
  }
}

/** The shape of `spec.cluster` in an ExecCredential; the certificate authority is added when the plugin runs. */
function clusterFacts(cluster: KubeconfigFields): KubeconfigFields {
  const known = ['server', 'tls-server-name', 'insecure-skip-tls-verify', 'proxy-url'] as const
  const extensions: readonly unknown[] = Array.isArray(cluster.extensions) ? cluster.extensions : []
  const own = extensions.find(entry => isFields(entry) && entry.name === 'client.authentication.k8s.io/exec')
  return {
    ...Object.fromEntries(known.filter(field => cluster[field] !== undefined).map(field => [field, cluster[field]])),
    ...(isFields(own) ? { config: own.extension } : {}),
  }
}

/** Kubernetes itself dropped all but oidc, and what that gives lasts for an hour: this program would not refresh it. */
function noProvider({ file, user }: Chosen, provider: unknown): CredentialsProblem {
  const at = `${user.at}.auth-provider`
  const name = isFields(provider) ? provider.name : provider
  return new CredentialsProblem(`${file}: ${at} is ${shown(name ?? '')}: must be an exec plugin or a tokenFile instead`)
}

function impersonation({ file, user }: Chosen): Record<string, string | string[]> {
  const as = textField(file, user, 'as')
  const uid = textField(file, user, 'as-uid')
  const groups = texts(file, user, 'as-groups')
  const extra = extraOf(file, user)
  const limits = [
    ...(uid === undefined ? [] : [['impersonate-uid', uid] as const]),
    ...(groups.length === 0 ? [] : [['impersonate-group', groups] as const]),
    ...extra,
  ]
  if (as === undefined) {
    if (limits.length === 0) return {}
    throw new CredentialsProblem(
      `${file}: ${user.at} has as-groups, as-uid or as-user-extra but no "as": must name the user, too`,
    )
  }
  const headers = [['impersonate-user', as] as const, ...limits]
  const bad = headers.flatMap(([, value]) => value).find(text => !/^[\x20-\x7e]*$/.test(text))
  if (bad === undefined) return Object.fromEntries(headers)
  throw new CredentialsProblem(
    `${file}: ${user.at} has "as…" with ${shown(bad)}: must be one line of visible characters`,
  )
}

/** Each key is a part of a header's name, in which some characters may not stand. */
function extraOf(file: string, user: NamedEntry): readonly (readonly [string, string[]])[] {
  const extra = user.fields['as-user-extra'] ?? {}
  const at = `${user.at}.as-user-extra`
  if (!isFields(extra)) throw new CredentialsProblem(`${file}: ${at} is ${shown(extra)}: must be a mapping`)
  return Object.keys(extra).map(key => {
    const escaped = encodeURIComponent(key.toLowerCase().toWellFormed()).replace(/[()]/g, it => ESCAPED[it]!)
    return [`impersonate-extra-${escaped}`, texts(file, { ...user, at, fields: extra }, key)]
  })
}

/** What a component of a URL may have and the name of a header may not. */
const ESCAPED: Readonly<Record<string, string>> = { '(': '%28', ')': '%29' }

function texts(file: string, entry: NamedEntry, field: string): string[] {
  return listField(file, entry, field).map(String)
}

function variables(list: readonly unknown[]): Record<string, string> {
  const named = list.filter(isFields).filter(({ name }) => typeof name === 'string')
  return Object.fromEntries(named.map(({ name, value }) => [name, String(value ?? '')]))
}
