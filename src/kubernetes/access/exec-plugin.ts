import { Buffer } from 'node:buffer'
import { NOT_FOUND, type Outcome, TIMED_OUT } from '#system/ports.ts'
import type { Fetched } from './kept.ts'
import { isFields } from './kubeconfig-text.ts'
import { type ExecPlugin, type Material, readMaterial } from './login.ts'
import { CredentialsProblem } from './problem.ts'
import type { Proof, ProofParts } from './proof.ts'

// A credential plugin is run → the token or certificate it printed, and until when it is good.

export async function execCredential(
  plugin: ExecPlugin,
  ca: Material | undefined,
  parts: ProofParts,
): Promise<Fetched<Proof>> {
  const cluster = plugin.cluster && { ...plugin.cluster, ...(await certificateAuthority(ca, parts)) }
  const outcome = await parts.kernel.run({
    does: 'other',
    argv: plugin.argv,
    env: { ...present(parts.env), ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(request(plugin, cluster)) },
    timeoutMs: parts.limitMs,
  })
  if (outcome.code !== 0) throw problem(plugin, ending(outcome, plugin, parts.limitMs))
  return credential(plugin, outcome.stdout)
}

function request({ apiVersion }: ExecPlugin, cluster: object | undefined): object {
  return { kind: 'ExecCredential', apiVersion, spec: { interactive: false, ...(cluster && { cluster }) } }
}

function present(env: ProofParts['env']): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

async function certificateAuthority(ca: Material | undefined, { files }: ProofParts): Promise<object> {
  if (ca === undefined) return {}
  return { 'certificate-authority-data': Buffer.from(await readMaterial(files, ca)).toString('base64') }
}

/** What it printed is never shown: even a broken answer may hold a token. */
function credential(plugin: ExecPlugin, text: string): Fetched<Proof> {
  const answer = parsed(text)
  if (!isFields(answer) || answer.kind !== 'ExecCredential' || !isFields(answer.status)) {
    throw problem(plugin, 'did not print an ExecCredential with a status')
  }
  if (answer.apiVersion !== plugin.apiVersion) {
    throw problem(plugin, `answered in ${JSON.stringify(answer.apiVersion)}: must be ${plugin.apiVersion}`)
  }
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = answer.status
  const proof = {
    ...(typeof token === 'string' && token !== '' ? { authorization: `Bearer ${token.trim()}` } : {}),
    ...(typeof cert === 'string' && typeof key === 'string' ? { cert, key } : {}),
  }
  if (Object.keys(proof).length === 0) throw problem(plugin, 'gave neither a token nor a certificate with its key')
  const expiresAt = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN
  return Number.isNaN(expiresAt) ? { value: proof } : { value: proof, expiresAt }
}

function ending({ code, stderr }: Outcome, { installHint }: ExecPlugin, limitMs: number): string {
  const said = stderr.trim().split('\n', 1)[0]
  if (code === NOT_FOUND)
    return `is not there${installHint === undefined ? '' : `: ${installHint.trim().replace(/\s+/g, ' ')}`}`
  if (code === TIMED_OUT) return `gave no answer within ${limitMs / 1000} s`
  return `exited with ${code}: ${said || 'it said nothing'}`
}

function problem({ argv, named }: ExecPlugin, what: string): CredentialsProblem {
  return new CredentialsProblem(`credential plugin ${argv[0]} (${named}) ${what}`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
