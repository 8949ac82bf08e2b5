// Why an attempt ended: what the API server refused, what never came, what could not be read.

export interface RefusalFacts {
  readonly code: number
  readonly said: string
  readonly via: 'status' | 'event'
  readonly retryAfterMs: number
}

/** An HTTP status that is not 200, or an ERROR event, which says the same in the middle of a watch. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly facts: RefusalFacts

  constructor(facts: RefusalFacts) {
    super(`the API server answered ${facts.code}${facts.said === '' ? '' : `: ${facts.said}`}`)
    this.facts = facts
  }
}

/** What did not come in time. */
export type Missing = 'no answer' | 'no end of a refusal' | 'nothing more of a list' | 'no event and no bookmark'

/** The connection is open, but nothing came for too long. */
export class Silent extends Error {
  override readonly name = 'Silent'
  readonly missing: Missing

  constructor(missing: Missing, afterMs: number) {
    super(`${missing} for ${afterMs / 1000} s`)
    this.missing = missing
  }
}

/** Something came that an API server does not send. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

/**
 * An API server that does not know streamed lists answers with a watch, and that never says that the list has ended.
 */
export class NeverEnding extends Error {
  override readonly name = 'NeverEnding'
}

/** What OpenSSL calls a certificate that no authority we trust has signed. */
const UNTRUSTED: ReadonlySet<unknown> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** One line for the person on call. undici hides the cause of some failures one or two levels down in `cause`. */
export function reasonOf(error: unknown): string {
  return reasonBelow([], error)
}

/** An error may be among its own causes. */
function reasonBelow(above: readonly unknown[], error: unknown): string {
  const path = [...above, error]
  if (error instanceof AggregateError && error.errors.length > 0) {
    const below = error.errors.filter(one => !path.includes(one))
    return [...new Set(below.map(one => reasonBelow(path, one)))].join('; ')
  }
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  if (UNTRUSTED.has(code)) return 'its certificate is not signed by the certificate authority we were given'
  const text = error.message || code || error.name
  return error.cause instanceof Error && !path.includes(error.cause)
    ? `${text} (${reasonBelow(path, error.cause)})`
    : text
}

/** `Retry-After` is a number of seconds or a date; anything else asks for no wait. */
export function retryAfterMs(header: unknown, now: number): number {
  if (typeof header !== 'string') return 0
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now
  return Number.isNaN(ms) ? 0 : Math.max(0, ms)
}
