import { parseAst } from 'vitest/node'

// The text of a source file → what it imports, and which of the machine's things it touches without importing them.

export interface Import {
  readonly from: string
  /** The names it takes as values; `*` for everything. None: types only. */
  readonly values: readonly string[]
}

export interface Source {
  readonly imports: readonly Import[]
  /** `process.env`, `setTimeout`, `Date.now`, `new Date()`, … */
  readonly touches: readonly string[]
}

/** The few fields of a syntax tree that matter here. */
export interface Syntax {
  readonly type: string
  readonly [field: string]: unknown
}

export function sourceOf(text: string): Source {
  const imports: Import[] = []
  const touches = new Set<string>()
  eachNode(text, node => {
    const found = importOf(node)
    if (found !== undefined) imports.push(found)
    const touched = touchOf(node)
    if (touched !== undefined) touches.add(touched)
  })
  return { imports, touches: [...touches] }
}

/** Calls back with every node of its tree. */
export function eachNode(text: string, look: (node: Syntax) => void): void {
  visit(parseAst(text, { lang: 'ts', astType: 'ts' }) as unknown as Syntax, look)
}

function visit(node: Syntax, look: (node: Syntax) => void): void {
  look(node)
  for (const field of Object.values(node)) {
    for (const child of Array.isArray(field) ? field : [field]) if (isSyntax(child)) visit(child, look)
  }
}

function isSyntax(value: unknown): value is Syntax {
  return typeof value === 'object' && value !== null && typeof (value as Syntax).type === 'string'
}

function importOf(node: Syntax): Import | undefined {
  const source = node.source as { readonly value?: unknown } | null | undefined
  if (typeof source?.value !== 'string') return undefined
  const from = source.value
  if (node.type === 'TSImportType') return { from, values: [] }
  if (node.type === 'ImportExpression' || node.type === 'ExportAllDeclaration') {
    return { from, values: node.exportKind === 'type' ? [] : ['*'] }
  }
  if (node.type === 'ImportDeclaration') return { from, values: valuesOf(node, node.importKind) }
  return node.type === 'ExportNamedDeclaration' ? { from, values: valuesOf(node, node.exportKind) } : undefined
}

function valuesOf(node: Syntax, kind: unknown): readonly string[] {
  if (kind === 'type') return []
  const specifiers = node.specifiers as readonly Syntax[]
  // `import './x.ts'` is there for what happens when it runs.
  if (specifiers.length === 0) return ['*']
  const values = specifiers.filter(({ importKind, exportKind }) => (importKind ?? exportKind) !== 'type')
  return values.map(({ imported, local }) => ((imported ?? local) as { name?: string }).name ?? '*')
}

/** What stays the same as long as the program runs. */
const FACTS = ['pid', 'version', 'versions', 'platform', 'arch', 'execPath', 'getuid'].map(name => `process.${name}`)
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate', 'fetch']
const CLOCKS = ['Date.now', 'performance.now', 'AbortSignal.timeout']

function touchOf(node: Syntax): string | undefined {
  if (node.type === 'MemberExpression') {
    const name = `${nameOf(node.object)}.${nameOf(node.property)}`
    if ((name.startsWith('process.') && !FACTS.includes(name)) || CLOCKS.includes(name)) return name
    return name.startsWith('globalThis.') ? timer(name.slice('globalThis.'.length)) : undefined
  }
  if (node.type === 'CallExpression') return timer(nameOf(node.callee))
  const isNow = node.type === 'NewExpression' && nameOf(node.callee) === 'Date' && (node.arguments as []).length === 0
  return isNow ? 'new Date()' : undefined
}

function timer(name: string): string | undefined {
  return TIMERS.includes(name) ? name : undefined
}

function nameOf(node: unknown): string {
  return isSyntax(node) && node.type === 'Identifier' ? String(node.name) : ''
}
