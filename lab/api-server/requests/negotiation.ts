// Accept of a request → the form of the answer: plain objects, Tables as kubectl prints them, metadata alone, or discovery in one document.

export type Form =
  | { readonly as: 'objects' }
  | { readonly as: 'Table'; readonly version: 'v1' | 'v1beta1' }
  | { readonly as: 'PartialObjectMetadata' | 'PartialObjectMetadataList' }
  | { readonly as: 'APIGroupDiscoveryList'; readonly version: 'v2' | 'v2beta1' }

export const OBJECTS: Form = { as: 'objects' }

/** The first clause that this server can answer; undefined where there is none, as where a client takes protobuf alone. */
export function formOf(accept: string | undefined): Form | undefined {
  if (accept === undefined || accept.trim() === '') return OBJECTS
  for (const clause of accept.split(',')) {
    const form = clauseForm(clause)
    if (form !== undefined) return form
  }
  return undefined
}

function clauseForm(clause: string): Form | undefined {
  const [type = '', ...parts] = clause.split(';').map(part => part.trim())
  if (!/^(application\/json|application\/\*|\*\/\*)$/i.test(type)) return undefined
  const { as, v, g } = Object.fromEntries(parts.map(part => part.split('=')))
  if (as === undefined) return OBJECTS
  if (g === 'apidiscovery.k8s.io' && as === 'APIGroupDiscoveryList') {
    return v === 'v2' || v === 'v2beta1' ? { as, version: v } : undefined
  }
  if (g !== 'meta.k8s.io' || (v !== 'v1' && v !== 'v1beta1')) return undefined
  if (as === 'Table') return { as, version: v }
  return as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList' ? { as } : undefined
}
