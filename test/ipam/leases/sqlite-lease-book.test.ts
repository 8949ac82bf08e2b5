import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { leaseBookContract } from '../../contracts/lease-book.ts'
import { memoryFolder } from '../../support/memory-folder.ts'

leaseBookContract('SQLite', parts => {
  const folder = memoryFolder('leases-')
  const path = join(folder, 'ipam.db')
  const books = [SqliteLeaseBook.open({ ...parts, path })]
  return {
    book: books[0]!,
    restart: (boot, clock = parts.clock) => {
      const book = SqliteLeaseBook.open({ ...parts, boot, clock, path })
      books.push(book)
      return book
    },
    end: () => {
      books.at(-1)!.verify()
      for (const book of books) book.close()
      rmSync(folder, { recursive: true })
    },
  }
})
