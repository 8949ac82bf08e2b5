import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { sameLines } from '../support/same-lines.ts'
import { type IptablesCase, inFamily } from './kernel/case.ts'
import { IPTABLES_CASES } from './kernel/iptables-cases.ts'

// What iptables promises, as cases that any Kernel must pass: the real tools, and the paper ones.

export type IptablesName = 'iptables' | 'ip6tables' | `ip${'' | '6'}tables-${'nft' | 'legacy'}`

export interface KernelUnderTest {
  readonly kernel: Kernel
  /** Removes the host. */
  end(): Promise<void>
}

/** `exceptions`: the title of a case → why this kernel cannot pass it. */
export function kernelContract(
  name: IptablesName,
  makeKernel: () => Promise<KernelUnderTest>,
  exceptions: Readonly<Record<string, string>> = {},
): void {
  const tool = toolNamed(name)
  const cases = IPTABLES_CASES.filter(one => isFor(one, tool))

  describe(`${name}: the kernel contract`, () => {
    let subject: KernelUnderTest
    beforeEach(async () => {
      subject = await makeKernel()
    })
    afterEach(() => subject.end())

    for (const one of cases) {
      const reason = exceptions[one.title]
      if (reason !== undefined) test.fails(`${one.title} (cannot: ${reason})`, () => passes(one, tool, subject.kernel))
      else test(one.title, () => passes(one, tool, subject.kernel))
    }

    test('every exception names a case', () => {
      const titles = new Set(IPTABLES_CASES.map(({ title }) => title))
      expect(Object.keys(exceptions).filter(title => !titles.has(title))).toEqual([])
    })
  })
}

interface Tool {
  readonly name: IptablesName
  readonly family: Family
  readonly variant: 'nft' | 'legacy'
}

function toolNamed(name: IptablesName): Tool {
  return {
    name,
    family: name.startsWith('ip6') ? 'ipv6' : 'ipv4',
    variant: name.endsWith('legacy') ? 'legacy' : 'nft',
  }
}

function isFor({ only, family }: IptablesCase, tool: Tool): boolean {
  return (only ?? tool.variant) === tool.variant && (family ?? tool.family) === tool.family
}

async function passes(one: IptablesCase, tool: Tool, kernel: Kernel): Promise<void> {
  const { given, run, verdict, says, prints, leaves } = inFamily(one, tool.family)
  if (given !== undefined) {
    await must(kernel, anyCommand([`${tool.name}-restore`, '--noflush'], { input: given }))
  }
  const before = await contents(kernel, tool.name)
  const outcome = await runOne(kernel, tool.name, run)
  expect(`${outcome.code === 0 ? 'done' : 'refused'} ${outcome.stderr}`).toMatch(
    verdict === 'done' ? /^done/ : /^refused/,
  )
  const pattern = typeof says === 'object' && 'nft' in says ? says[tool.variant] : says
  if (pattern !== undefined) expect(outcome.stderr).toMatch(pattern)
  if (prints !== undefined) expect(outcome.stdout).toBe(prints)
  sameLines(await contents(kernel, tool.name), leaves === undefined ? before : leaves.join('\n'))
}

/**
 * A document goes to `-restore --noflush`; words go to the command, or to `-restore` and `-save` where they begin so.
 */
function runOne(kernel: Kernel, name: IptablesName, run: IptablesCase['run']): Promise<Outcome> {
  if (typeof run === 'string') return kernel.run(anyCommand([`${name}-restore`, '--noflush'], { input: run }))
  const [first = '', ...others] = run.words
  const suffixed = first === '-restore' || first === '-save'
  const argv = suffixed ? ([`${name}${first}`, ...others] as const) : ([name, ...run.words] as const)
  return kernel.run(anyCommand(argv, { ...(run.input === undefined ? {} : { input: run.input }) }))
}

/** All chains and rules, one a line, without counters, dates and untouched built-in chains. */
export async function contents(kernel: Kernel, name: IptablesName): Promise<string> {
  const { stdout } = await must(kernel, anyCommand([`${name}-save`]))
  const tables = stdout.split(/^\*/m).slice(1).sort()
  return tables.flatMap(contentsOf).join('\n')
}

function contentsOf(text: string): readonly string[] {
  const [table, ...lines] = text.split('\n')
  return lines
    .filter(line => /^[:-]/.test(line) && !/^:[A-Z]+ ACCEPT /.test(line))
    .map(line => `${table} ${line.replace(/ \[\d+:\d+\]$/, '').replace(/^(:.*) -$/, '$1')}`)
}
