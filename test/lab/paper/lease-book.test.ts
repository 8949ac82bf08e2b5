import { PaperLeaseBook } from '#lab/paper/lease-book.ts'
import { leaseBookContract } from '../../contracts/lease-book.ts'

leaseBookContract('paper', parts => {
  const book = new PaperLeaseBook(parts)
  return { book, restart: (boot, clock) => book.restarted(boot, clock), end: () => book.close() }
})
