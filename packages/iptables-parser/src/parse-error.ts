// A place in a text and what is wrong there → the error that every reader here throws.

/** Where something stands; both count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

export const START: Place = { line: 1, column: 1 }

export class ParseError extends Error {
  readonly line: number
  readonly column: number
  /** What is wrong, without the place. */
  readonly problem: string

  constructor(problem: string, { line, column }: Place) {
    super(`line ${line}, column ${column}: ${problem}`)
    this.name = 'ParseError'
    this.problem = problem
    this.line = line
    this.column = column
  }
}
