import { LineIndex } from '#cni/lint/json/line-index.ts'
import { plainOf } from '#cni/lint/json/node.ts'
import { readTolerantly } from '#cni/lint/json/reader.ts'

/** What a text was understood as, and what is wrong with it: `LINE:COLUMN MESSAGE`. */
export function read(text: string) {
  const { root, problems } = readTolerantly(text)
  const lines = problems.map(({ at, message }) => {
    const { line, column } = new LineIndex(text).at(at)
    return `${line}:${column} ${message}`
  })
  return { value: root && plainOf(root), lines }
}
