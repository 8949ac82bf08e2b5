import type { PlacedFinding } from './lint.ts'

// Findings of some files → text as compilers print it, so that editors can jump there, or JSON.

export interface FileFindings {
  readonly file: string
  readonly findings: readonly PlacedFinding[]
}

export function findingsText(files: readonly FileFindings[]): string {
  const lines = files.flatMap(({ file, findings }) =>
    findings.length === 0
      ? [`${file}: nothing is wrong with it.`]
      : findings.map(finding => findingLine(file, finding)),
  )
  const all = files.flatMap(({ findings }) => findings)
  const errors = all.filter(({ severity }) => severity === 'error').length
  const counts = `${counted(errors, 'error')}, ${counted(all.length - errors, 'warning')}`
  return [...lines, ...(all.length === 0 ? [] : [counts])].join('\n')
}

export function findingsJson(files: readonly FileFindings[]): string {
  const ordered = files.map(({ file, findings }) => ({
    file,
    findings: findings.map(({ line, column, severity, path, message }) => ({ line, column, severity, path, message })),
  }))
  return JSON.stringify({ files: ordered }, undefined, 2)
}

function findingLine(file: string, { line, column, severity, message }: PlacedFinding): string {
  return plainLine(`${file}:${line}:${column}: ${severity}: ${message}`)
}

/** Keys are in messages as they stand in the file: none may begin a line that looks like another finding, or speak to a terminal. */
function plainLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
