import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Listeners } from '#proxy/relay/listeners.ts'
import { FAMILIES } from '#values/address.ts'
import { LISTENER_CASES, type ListenersHost } from './listeners/cases.ts'

// What userspace mode relies on of whatever listens for it: on paper, in worker threads, and in another namespace.

export interface ListenersUnderTest extends ListenersHost {
  readonly listeners: Listeners
  end(): Promise<void>
}

/** One host for all cases; `exceptions`: the title of a case → why these listeners cannot pass it. */
export function listenersContract(
  open: () => Promise<ListenersUnderTest>,
  exceptions: Readonly<Record<string, string>> = {},
): void {
  describe('listeners: the contract', () => {
    let subject: ListenersUnderTest
    beforeAll(async () => {
      subject = await open()
    })
    afterAll(() => subject?.end())
    afterEach(async () => {
      const { listeners } = subject
      for (const family of FAMILIES) {
        await listeners.close(
          family,
          listeners.list(family).map(({ name }) => name),
        )
      }
    })

    for (const [title, check] of Object.entries(LISTENER_CASES)) {
      const reason = exceptions[title]
      const run = () => check(subject.listeners, subject)
      if (reason === undefined) test(title, run)
      else test.fails(`${title} (cannot: ${reason})`, run)
    }

    test('every exception names a case', () => {
      expect(Object.keys(exceptions).filter(title => !(title in LISTENER_CASES))).toEqual([])
    })
  })
}
