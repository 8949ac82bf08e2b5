import type { IncomingMessage } from 'node:http'
import { mediaType, Refused } from '../../answers.ts'
import { jsonPatched } from './json-patch.ts'
import { mergePatched } from './merge-patch.ts'
import { strategicPatched } from './strategic.ts'

// The body of a PATCH and its media type → the patched object.

export const APPLY = 'application/apply-patch+yaml'

type PatchFunction = (kind: string, target: unknown, patch: unknown) => unknown

const PATCH_FUNCTIONS: Readonly<Record<string, PatchFunction>> = {
  'application/json-patch+json': (_kind, target, patch) => jsonPatched(target, patch),
  'application/merge-patch+json': (_kind, target, patch) => mergePatched(target, patch),
  'application/strategic-merge-patch+json': strategicPatched,
}

export function patched(request: IncomingMessage, kind: string, target: unknown, patch: unknown): unknown {
  const type = mediaType(request)
  const known = Object.hasOwn(PATCH_FUNCTIONS, type) ? PATCH_FUNCTIONS[type] : undefined
  if (known !== undefined) return known(kind, target, patch)
  const types = [...Object.keys(PATCH_FUNCTIONS), APPLY].join(', ')
  throw new Refused(415, `a patch cannot be ${JSON.stringify(type)}: use one of ${types}`)
}
