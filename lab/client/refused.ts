// An answer of the API server that is no success → an error with what it says.

export interface RefusalText {
  readonly code: number
  /** `Conflict`, `NotFound`, `Invalid`… */
  readonly reason: string
  readonly message: string
}

export class ApiRefused extends Error {
  override readonly name = 'ApiRefused'
  readonly code: number
  readonly reason: string

  constructor({ code, reason, message }: RefusalText) {
    super(message)
    this.code = code
    this.reason = reason
  }
}

/** `what`: `POST /api/v1/namespaces/shop/pods`. */
export function refusalIn(code: number, json: unknown, what: string): ApiRefused {
  const { reason = '', message = '' } = (json ?? {}) as { readonly reason?: string; readonly message?: string }
  return new ApiRefused({ code, reason, message: message || `the API server answered ${code} to ${what}` })
}

/** The object is another one, or of another version, than the writer believed. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiRefused && error.code === 409 && error.reason !== 'AlreadyExists'
}

export function isAlreadyThere(error: unknown): boolean {
  return error instanceof ApiRefused && error.reason === 'AlreadyExists'
}

export function isAbsent(error: unknown): boolean {
  return error instanceof ApiRefused && error.code === 404
}
