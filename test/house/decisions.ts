import { eachNode, type Syntax } from './source.ts'

// The text of a source file → how many decisions it takes: branches, loops, and what a list is searched or sifted for.

const BRANCHES: ReadonlySet<string> = new Set([
  ...['IfStatement', 'ConditionalExpression', 'LogicalExpression', 'SwitchCase', 'CatchClause'],
  ...['ForStatement', 'ForOfStatement', 'ForInStatement', 'WhileStatement', 'DoWhileStatement'],
])
const SIFTING: ReadonlySet<string> = new Set(['filter', 'find', 'findIndex', 'flatMap', 'some', 'every', 'reduce'])

export function decisionsIn(text: string): number {
  let count = 0
  eachNode(text, node => {
    if (BRANCHES.has(node.type) || sifts(node)) count++
  })
  return count
}

function sifts({ type, callee }: Syntax): boolean {
  const property = (callee as Syntax | undefined)?.property as Syntax | undefined
  return type === 'CallExpression' && SIFTING.has(property?.name as string)
}
