import { Buffer } from 'node:buffer'
import { execCredential } from './exec-plugin.ts'
import { Kept } from './kept.ts'
import { type Files, type Identity, isToken, type Material, readMaterial } from './login.ts'
import { CredentialsProblem } from './problem.ts'
import type { Proof, ProofParts } from './proof.ts'

// The configured identity → what authenticates a request: a header, or a certificate that a plugin made.

export interface ProofSource {
  get(): Promise<Proof>
  /** The API server did not accept this proof; a cached one is fetched again for the next request. */
  rejected(proof: Proof): void
}

const NOTHING: Proof = {}

export function proofSource(identity: Identity, ca: Material | undefined, parts: ProofParts): ProofSource {
  switch (identity.by) {
    case 'nothing':
      return unkept(async () => NOTHING)
    case 'token':
      return unkept(async () => bearer(identity.token))
    case 'password': {
      const both = Buffer.from(`${identity.username}:${identity.password}`).toString('base64')
      return unkept(async () => ({ authorization: `Basic ${both}` }))
    }
    case 'token-file':
      return unkept(() => tokenFromFile(identity, parts.files))
    case 'exec':
      return kept(new Kept(() => execCredential(identity.plugin, ca, parts), parts.clock))
  }
}

function bearer(token: string): Proof {
  return { authorization: `Bearer ${token}` }
}

async function tokenFromFile(identity: Identity & { by: 'token-file' }, files: Files): Promise<Proof> {
  try {
    const token = (await readMaterial(files, identity.file)).trim()
    if (isToken(token)) return bearer(token)
    const { path, named } = identity.file as Material & { from: 'file' }
    throw new CredentialsProblem(
      `${named}, ${path}, ${token === '' ? 'is empty' : 'is not one line'}: must hold a token`,
    )
  } catch (error) {
    if (identity.token !== undefined) return bearer(identity.token)
    throw error
  }
}

function unkept(get: () => Promise<Proof>): ProofSource {
  return { get, rejected: () => {} }
}

function kept(proof: Kept<Proof>): ProofSource {
  return { get: () => proof.get(), rejected: refused => proof.drop(refused) }
}
