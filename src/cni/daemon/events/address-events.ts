import type { RegisteredUsage } from '#ipam/leases/changes/usage.ts'
import type { FoundConflict } from '../../leaks/conflicts.ts'
import type { RoundAttachment } from '../../leaks/round.ts'
import type { Level } from '../rounds/levels.ts'
import { type AddressEventContent, type AddressReporter, addressEvent } from './address-event.ts'
import { conflictContents, type LeakDigest, leaksContent, levelContent } from './contents.ts'
import type { EventSender } from './event-sender.ts'

// What the rounds find, as it is found → Events: one for each thing when it begins, and none where it goes on. No round waits for
// the API server.

export class AddressEvents {
  readonly #sender: EventSender
  readonly #reporter: () => AddressReporter

  constructor(sender: EventSender, reporter: () => AddressReporter) {
    this.#sender = sender
    this.#reporter = reporter
  }

  level(usage: RegisteredUsage, level: Level, found: 'at-start' | 'later'): void {
    this.#send(levelContent(usage, level, found))
  }

  /** Leaks of one round, and no more than a few of them by name. */
  round(): RoundEvents {
    return new RoundEvents(content => this.#send(content))
  }

  #send(content: AddressEventContent): void {
    this.#sender.send(addressEvent(this.#reporter(), content))
  }
}

const BY_NAME = 10

export class RoundEvents {
  readonly #send: (content: AddressEventContent) => void
  readonly #digests = new Map<string, { became: 'found' | 'freed'; count: number; some: RoundAttachment[] }>()

  constructor(send: (content: AddressEventContent) => void) {
    this.#send = send
  }

  found(attachment: RoundAttachment): void {
    this.#count('found', attachment)
  }

  freed(attachment: RoundAttachment): void {
    this.#count('freed', attachment)
  }

  /** Of the whole round, or of the part that was made. */
  leaks(): void {
    for (const [key, { became, count, some }] of this.#digests) {
      const digest: LeakDigest = { network: key.slice(key.indexOf(' ') + 1), count, some }
      this.#send(leaksContent(became, digest))
    }
  }

  /** Those of rounds before are not repeated. */
  conflicts(all: readonly FoundConflict[]): void {
    for (const conflict of all) if (conflict.isNew) conflictContents(conflict).forEach(this.#send)
  }

  #count(became: 'found' | 'freed', attachment: RoundAttachment): void {
    const key = `${became} ${attachment.holder.network}`
    const digest = this.#digests.get(key) ?? { became, count: 0, some: [] }
    digest.count++
    if (digest.some.length < BY_NAME) digest.some.push(attachment)
    this.#digests.set(key, digest)
  }
}
