import type { NodeProgram } from './cluster-node.ts'

// Nodes that did not become ready → the last that their programs have logged, for the person who has to find out why.

export interface LoggingNode {
  readonly name: string
  logLines(program: NodeProgram): readonly string[]
}

const PROGRAMS: readonly NodeProgram[] = ['pods', 'run']
const LINES = 3

export function logEnds(nodes: readonly LoggingNode[]): readonly string[] {
  return nodes.flatMap(node =>
    PROGRAMS.flatMap(program => {
      const last = node.logLines(program).slice(-LINES)
      const said = last.length === 0 ? ['(it has logged nothing)'] : last
      return said.map(line => `${node.name}, switchyard ${program}: ${line}`)
    }),
  )
}
