import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// The types of the Kubernetes API, as the installed @kubernetes/client-node has them: names and formats of fields from its models,
// descriptions and what is required from the declarations beside them. Read when they are asked for, each once.

export interface Model {
  readonly name: string
  readonly description: string
  readonly fields: ReadonlyMap<string, ModelField>
}

export interface ModelField {
  readonly type: FieldType
  readonly description: string
  readonly required: boolean
}

export type FieldType =
  | { readonly is: 'string' | 'boolean' | 'time' | 'any' | 'int-or-string' }
  | { readonly is: 'number'; readonly format: string }
  | { readonly is: 'list' | 'map'; readonly of: FieldType }
  | { readonly is: 'model'; readonly name: string }

const FOLDER = new URL('./gen/models/', import.meta.resolve('@kubernetes/client-node'))
const known = new Map<string, Model>()

/** Throws where the package has no such model. */
export function modelOf(name: string): Model {
  const model = known.get(name) ?? readModel(name)
  known.set(name, model)
  return model
}

interface Attribute {
  readonly name: string
  readonly baseName: string
  readonly type: string
  readonly format: string
}

function readModel(name: string): Model {
  const [, list = '[]'] = /\.attributeTypeMap = (\[[\s\S]*?\n?\]);/.exec(textOf(`${name}.js`)) ?? []
  const declared = textOf(`${name}.d.ts`)
  const attributes = JSON.parse(list) as readonly Attribute[]
  const fields = attributes.map(({ name: own, baseName, type, format }) => {
    const { description, required } = declaration(declared, own)
    return [baseName, { type: fieldType(type, format), description, required }] as const
  })
  const [, comment = ''] = /\/\*\*\n\* (.*)\n\*\/\nexport declare class/.exec(declared) ?? []
  return { name, description: unescaped(comment), fields: new Map(fields) }
}

function textOf(file: string): string {
  return readFileSync(fileURLToPath(new URL(file, FOLDER)), 'utf8')
}

function declaration(text: string, name: string): Pick<ModelField, 'description' | 'required'> {
  const at = text.search(new RegExp(`^    '${name}'\\??: `, 'm'))
  const before = text.slice(0, at).trimEnd()
  const [, description = ''] = /\* (.*)\n\s*\*\/$/.exec(before) ?? []
  return { description: unescaped(description), required: text.slice(at).trimStart().startsWith(`'${name}':`) }
}

function unescaped(text: string): string {
  return text.replace(/\\(['"`])/g, '$1')
}

function fieldType(type: string, format: string): FieldType {
  const [, item] = /^Array<(.*)>$/.exec(type) ?? []
  if (item !== undefined) return { is: 'list', of: fieldType(item, format) }
  const [, value] = /^\{ \[key: string\]: (.*); \}$/.exec(type) ?? []
  if (value !== undefined) return { is: 'map', of: fieldType(value, '') }
  if (type === 'string' || type === 'boolean') return { is: type }
  if (type === 'number') return { is: 'number', format }
  if (type === 'Date' || type === 'V1MicroTime') return { is: 'time' }
  if (type === 'IntOrString') return { is: 'int-or-string' }
  return type === 'any' || type === 'object' ? { is: 'any' } : { is: 'model', name: type }
}
