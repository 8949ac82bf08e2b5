import { hash } from 'node:crypto'

// Text → the short names kube-proxy gives its chains: the start of the base32 of a SHA-256.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Two base32 letters for every ten bits: a table is several times faster than shifting bits per name. */
const PAIRS: readonly string[] = Array.from({ length: 1024 }, (_, n) => `${ALPHABET[n >> 5]}${ALPHABET[n & 31]}`)

/** The first 16 base32 letters of SHA-256(text), as in `KUBE-SVC-3TNEVSQEVUCP4TQO`. */
export function hash16(text: string): string {
  const hex = hash('sha256', text)
  return eight(hex, 0) + eight(hex, 10)
}

/** The first 8 base32 letters, as in nftables' `service-L54OOY4A-…`. */
export function hash8(text: string): string {
  return eight(hash('sha256', text), 0)
}

/** Ten hex digits are forty bits are eight base32 letters. */
function eight(hex: string, at: number): string {
  const high = Number.parseInt(hex.slice(at, at + 5), 16)
  const low = Number.parseInt(hex.slice(at + 5, at + 10), 16)
  return PAIRS[high >> 10]! + PAIRS[high & 1023]! + PAIRS[low >> 10]! + PAIRS[low & 1023]!
}
