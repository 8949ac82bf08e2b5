import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandMoment } from '#ipam/commands/answer.ts'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { memoryFolder } from '../../support/memory-folder.ts'

// A real database of leases in a folder of its own, on a clock that a test moves.

export const START = Date.UTC(2026, 10, 29, 7)

export class LeaseNode {
  readonly clock = new PaperClock(START)
  readonly #folder = memoryFolder('ipam-')
  readonly path = join(this.#folder, 'ipam.db')
  readonly book = SqliteLeaseBook.open({ path: this.path, clock: this.clock, boot: 'b', witness: () => undefined })

  moment(): CommandMoment {
    return { database: this.path, now: this.clock.now(), boot: 'b', witness: () => undefined }
  }

  remove(): void {
    this.book.close()
    rmSync(this.#folder, { recursive: true })
  }
}
