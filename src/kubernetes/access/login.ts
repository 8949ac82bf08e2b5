import { CredentialsProblem, unreadable } from './problem.ts'

// How the API server is reached and as whom, as configured: no file has been read and no plugin run yet.

export interface Login {
  readonly server: Server
  readonly ca?: Material
  readonly cert?: Material
  readonly key?: Material
  /** The name the server's certificate must carry, where it is not the one in the URL. */
  readonly servername?: string
  readonly verify: 'certificate' | 'nothing'
  readonly proxy?: string
  readonly identity: Identity
  readonly impersonation: Readonly<Record<string, string | string[]>>
}

export interface Server {
  /** `https://10.0.0.1:6443` */
  readonly origin: string
  /** What stands before `/api` in every path: empty, or `/k8s/clusters/c-1`. */
  readonly prefix: string
  readonly secure: 'tls' | 'plain'
}

/** A text that may be rotated at any time: files are read again for every request. */
export type Material =
  | { readonly from: 'text'; readonly text: string }
  /** `named` is what the file is for, in the words of the configuration. */
  | { readonly from: 'file'; readonly path: string; readonly named: string }

export type Identity =
  | { readonly by: 'nothing' }
  | { readonly by: 'token'; readonly token: string }
  /** The file goes first; the token is for as long as the file cannot be read. */
  | { readonly by: 'token-file'; readonly file: Material; readonly token?: string }
  | { readonly by: 'password'; readonly username: string; readonly password: string }
  | { readonly by: 'exec'; readonly plugin: ExecPlugin }

/** A program that prints an ExecCredential. */
export interface ExecPlugin {
  /** `users[0].user.exec of /etc/kubernetes/proxy.conf` */
  readonly named: string
  readonly argv: readonly [string, ...string[]]
  readonly env: Readonly<Record<string, string>>
  readonly apiVersion: string
  readonly installHint?: string
  /** What the plugin learns of the cluster, where it asks for it (provideClusterInfo). */
  readonly cluster?: Readonly<Record<string, unknown>>
}

/** The one thing credentials need of a file system. Rejects with an Error that has a `code`, as Node's does. */
export interface Files {
  readText(path: string): Promise<string>
}

/** Whether it can stand in a header. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text)
}

export async function readMaterial(files: Files, material: Material): Promise<string> {
  if (material.from === 'text') return material.text
  try {
    return await files.readText(material.path)
  } catch (error) {
    throw new CredentialsProblem(`cannot read ${material.named}, ${material.path}: ${unreadable(error)}`)
  }
}

/**
 * `https://10.0.0.1:6443/prefix`, `10.0.0.1:8080` → where requests go, or nothing. As client-go reads it: a host
 * without a scheme is https where there is anything that TLS would need, else http.
 */
export function serverFrom(text: string, bareHost: 'tls' | 'plain'): Server | undefined {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${bareHost === 'tls' ? 'https' : 'http'}://${text}`
  const parsed = URL.parse(url)
  if (parsed === null || parsed.hostname === '' || parsed.search !== '' || parsed.hash !== '') return undefined
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return undefined
  return {
    origin: parsed.origin,
    prefix: parsed.pathname.replace(/\/+$/, ''),
    secure: parsed.protocol === 'https:' ? 'tls' : 'plain',
  }
}

export const SERVER_FORM = 'must be https://HOST:PORT or http://HOST:PORT'
