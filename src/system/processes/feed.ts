import type { Writable } from 'node:stream'

// A text → the input of a program, in pieces: as bytes at once, the rules of 10,000 Services would be in memory a second time.

const PIECE = 1 << 18

/** Resolves when all of it has been handed over, or the program takes no more. */
export async function feed(stdin: Writable, text: string): Promise<void> {
  for (let at = 0; at < text.length && !stdin.destroyed; ) {
    const end = pieceEnd(text, at)
    const takesMore = stdin.write(Buffer.from(text.slice(at, end)))
    at = end
    if (!takesMore && at < text.length) await drained(stdin)
  }
  stdin.end()
}

/** Never between the two halves of a character. */
function pieceEnd(text: string, at: number): number {
  const end = Math.min(at + PIECE, text.length)
  const isHalf = end < text.length && /[\uD800-\uDBFF]/.test(text[end - 1]!)
  return isHalf ? end - 1 : end
}

function drained(stdin: Writable): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      stdin.off('drain', done)
      stdin.off('close', done)
      resolve()
    }
    stdin.on('drain', done)
    stdin.on('close', done)
  })
}
