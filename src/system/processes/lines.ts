import type { Readable } from 'node:stream'

// Bytes as they come → whole lines. (node:readline re-emits the stream's errors as its own, and one without a listener ends the process.)

/** A last line without its newline is dropped: the program ended before it had written all of it. */
export function eachLine(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) onLine(line)
  })
}
