import type { Clock, Kernel } from '#system/ports.ts'
import { loginFromKubeconfig } from './kubeconfig.ts'
import { type Files, type Login, type Material, readMaterial, SERVER_FORM, serverFrom } from './login.ts'
import { CredentialsProblem, unreadable } from './problem.ts'
import type { Proof } from './proof.ts'
import { type ProofSource, proofSource } from './proof-source.ts'

// --kubeconfig, --master or the service account of a pod → what a request needs, asked for anew by every request.

export type { Files } from './login.ts'
export { CredentialsProblem } from './problem.ts'

export interface Credentials {
  /** Reads what may have been rotated since. Rejects with one line to show; the next request tries again. */
  access(): Promise<Access>
  /** The API server answered 401 to this: a cached credential is dropped. */
  rejected(access: Access): void
}

/** What one request needs to reach the API server and be authenticated. */
export interface Access {
  readonly origin: string
  readonly prefix: string
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly tls: Tls
  readonly proxy?: string
}

export interface Tls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  readonly rejectUnauthorized: boolean
}

export interface CredentialsOptions {
  /** --kubeconfig */
  readonly kubeconfig?: string
  /** --master: overrides the server of the kubeconfig, and does without one. */
  readonly master?: string
  /** The environment of this process: where a pod finds the API server, and what a plugin may need. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where a pod finds its token and ca.crt. */
  readonly serviceAccount?: string
  readonly files: Files
  readonly kernel: Kernel
  readonly clock: Clock
  /** How long a credential plugin may take. */
  readonly pluginLimitMs?: number
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Rejects with a CredentialsProblem where the configuration cannot work; a file that is not there yet is no problem
 * here.
 */
export async function credentialsFrom(options: CredentialsOptions): Promise<Credentials> {
  const { files, pluginLimitMs: limitMs = 30_000 } = options
  const login = await loginFrom(options)
  return new LoginCredentials(login, files, proofSource(login.identity, login.ca, { ...options, limitMs }))
}

async function loginFrom({ kubeconfig: file, master, ...rest }: CredentialsOptions): Promise<Login> {
  const override = master ? { master } : {}
  if (file) return loginFromKubeconfig({ file, text: await kubeconfigText(file, rest.files), ...override })
  return master ? loginTo(master) : loginOfPod(rest)
}

async function kubeconfigText(file: string, files: Files): Promise<string> {
  try {
    return await files.readText(file)
  } catch (error) {
    throw new CredentialsProblem(`cannot read the kubeconfig ${file}: ${unreadable(error)}`)
  }
}

function loginTo(master: string): Login {
  const server = serverFrom(master, 'plain')
  if (server === undefined) throw new CredentialsProblem(`--master is "${master}": ${SERVER_FORM}`)
  return { server, verify: 'certificate', identity: { by: 'nothing' }, impersonation: {} }
}

function loginOfPod({ env, serviceAccount = SERVICE_ACCOUNT }: Omit<CredentialsOptions, 'kubeconfig'>): Login {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '' } = env
  const server = host && port && serverFrom(`https://${host.includes(':') ? `[${host}]` : host}:${port}`, 'tls')
  if (!server) {
    const said = host && port ? `make no URL ("${host}", "${port}")` : 'are not both set, so this is no pod'
    throw new CredentialsProblem(
      `KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT ${said}: give --kubeconfig=FILE or --master=URL`,
    )
  }
  const file = (name: string, what: string): Material => {
    return { from: 'file', path: `${serviceAccount}/${name}`, named: `the service account's ${what}` }
  }
  return {
    server,
    ca: file('ca.crt', 'certificate authority'),
    verify: 'certificate',
    identity: { by: 'token-file', file: file('token', 'token') },
    impersonation: {},
  }
}

class LoginCredentials implements Credentials {
  readonly #login: Login
  readonly #files: Files
  readonly #proofs: ProofSource
  readonly #shown = new WeakMap<Access, Proof>()

  constructor(login: Login, files: Files, proofs: ProofSource) {
    this.#login = login
    this.#files = files
    this.#proofs = proofs
  }

  async access(): Promise<Access> {
    const { server, impersonation, proxy } = this.#login
    const where = { origin: server.origin, prefix: server.prefix, ...(proxy === undefined ? {} : { proxy }) }
    // As client-go: no secret goes over a connection without TLS, which any host on the way could read. Whom requests are to
    // act as is none, and without it they would have more rights.
    if (server.secure === 'plain') return { ...where, headers: impersonation, tls: { rejectUnauthorized: true } }
    const [tls, proof] = await Promise.all([this.#tls(), this.#proofs.get()])
    const { authorization, ...certificate } = proof
    const headers = { ...(authorization === undefined ? {} : { authorization }), ...impersonation }
    const access = { ...where, headers, tls: { ...tls, ...certificate } }
    this.#shown.set(access, proof)
    return access
  }

  rejected(access: Access): void {
    const proof = this.#shown.get(access)
    if (proof !== undefined) this.#proofs.rejected(proof)
  }

  async #tls(): Promise<Tls> {
    const { ca, cert, key, servername, verify } = this.#login
    const read = async (name: 'ca' | 'cert' | 'key', material: Material | undefined) => {
      return material === undefined ? {} : { [name]: await pem(this.#files, material) }
    }
    const parts = await Promise.all([read('ca', ca), read('cert', cert), read('key', key)])
    const named = servername === undefined ? {} : { servername }
    return Object.assign({ rejectUnauthorized: verify === 'certificate' }, named, ...parts)
  }
}

async function pem(files: Files, material: Material): Promise<string> {
  const text = await readMaterial(files, material)
  if (material.from === 'text' || text.includes('-----BEGIN ')) return text
  throw new CredentialsProblem(`${material.named}, ${material.path}, is not a PEM document`)
}
