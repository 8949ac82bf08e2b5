import { readFile } from 'node:fs/promises'
import type { Clock } from '#system/ports.ts'
import type { ReadOptions } from '../../streams/container-log.ts'

// A log file as container runtimes write it, `TIME STREAM F|P TEXT` a line → what the container wrote.

export interface CriLog {
  readonly path: string
  readonly clock: Clock
  readonly hasEnded: () => boolean
}

interface CriLine {
  readonly at: string
  readonly text: string
}

const POLL_MS = 200

export async function* readCriLog(log: CriLog, options: ReadOptions): AsyncIterable<Buffer> {
  const { follow, timestamps, tailLines, sinceSeconds, limitBytes = Number.POSITIVE_INFINITY } = options
  const since = sinceSeconds === undefined ? 0 : log.clock.now() - sinceSeconds * 1000
  let left = limitBytes
  let shown: number | undefined
  for (;;) {
    const isLast = !follow || log.hasEnded()
    const lines = linesIn(await readFile(log.path, 'utf8').catch(() => ''))
    shown ??= tailLines === undefined ? 0 : Math.max(0, lines.length - tailLines)
    for (const { at, text } of lines.slice(shown)) {
      shown += 1
      if (left <= 0) return
      if (Date.parse(at) < since) continue
      const bytes = Buffer.from(timestamps ? `${at} ${text}` : text).subarray(0, left)
      left -= bytes.length
      yield bytes
    }
    if (isLast) return
    await log.clock.sleep(POLL_MS)
  }
}

/** A line that is still being written is left for the next time. */
function linesIn(text: string): readonly CriLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap(line => {
      const [, at, kind, said] = /^(\S+) \S+ ([FP])\S* ?(.*)$/s.exec(line) ?? []
      return at === undefined ? [] : [{ at, text: kind === 'F' ? `${said}\n` : said! }]
    })
}
