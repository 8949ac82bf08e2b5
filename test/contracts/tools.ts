import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { KernelUnderTest } from './kernel.ts'
import { passes, type ToolUnderContract } from './tools/case.ts'

// What a tool promises of the commands that we run, as cases that the real one and the one on paper must pass.

/** `exceptions`: the title of a case → why this one cannot pass it. */
export function toolContract(
  tool: ToolUnderContract,
  makeKernel: () => Promise<KernelUnderTest>,
  exceptions: Readonly<Record<string, string>> = {},
): void {
  describe(`${tool.name}: the contract`, () => {
    let subject: KernelUnderTest
    beforeEach(async () => {
      subject = await makeKernel()
    })
    afterEach(() => subject.end())

    for (const one of tool.cases) {
      const reason = exceptions[one.title]
      if (reason === undefined) test(one.title, () => passes(one, tool, subject.kernel))
      else test.fails(`${one.title} (cannot: ${reason})`, () => passes(one, tool, subject.kernel))
    }

    test('every exception names a case', () => {
      const titles = new Set(tool.cases.map(({ title }) => title))
      expect(Object.keys(exceptions).filter(title => !titles.has(title))).toEqual([])
    })
  })
}
