import fc from 'fast-check'
import { describe, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import { block } from '../contracts/kernel/case.ts'
import { documentsIn } from '../contracts/kernel/random-documents.ts'
import { contents, type IptablesName, kernelContract } from '../contracts/kernel.ts'
import { sameLines } from '../support/same-lines.ts'
import { cannotRun, newNamespace } from './namespace.ts'

// The real tools: they pass the contract that the paper ones pass, and where the contract says nothing, both do the same.

const NAMES: readonly IptablesName[] = ['iptables-nft', 'iptables-legacy', 'ip6tables-nft', 'ip6tables-legacy']
const DOCUMENT_LISTS = 60

/** Lists of documents over which the two once differed. */
const EXAMPLES: [readonly string[]][] = [[[replacedAtOnce()]]]

/** The kernel is asked to replace a rule that it has not got: whether iptables-nft lives to hear the answer depends on what else it had in memory. */
function replacedAtOnce(): string {
  const chains = [':A - [0:0]', ':B - [0:0]', ':C - [0:0]']
  return [
    block('filter', ':C - [0:0]'),
    block('filter', ...chains),
    block('filter', ':A - [0:0]', '-I B -j A', '-R B 1 -j RETURN', ':C - [0:0]'),
  ].join('')
}

const reason = cannotRun(...NAMES)

if (reason !== undefined) test.skip(`the real tools (cannot: ${reason})`)
else {
  describe('the real tools', () => {
    for (const name of NAMES) kernelContract(name, () => newNamespace('contract'))
  })

  describe('the real tools and the paper ones', () => {
    for (const name of NAMES) {
      test(`${name}: random documents get the same verdict, blame the same line and leave the same rules`, async () => {
        const lists = documentsIn(name.startsWith('ip6') ? 'ipv6' : 'ipv4')
        await fc.assert(
          fc.asyncProperty(lists, documents => agree(name, documents)),
          { numRuns: DOCUMENT_LISTS, interruptAfterTimeLimit: 50_000, examples: EXAMPLES },
        )
      })
    }
  })
}

async function agree(name: IptablesName, documents: readonly string[]): Promise<void> {
  const real = await newNamespace('agree')
  const paper = new PaperKernel()
  try {
    for (const input of documents) {
      const onPaper = await given(paper, name, input)
      // What paper says it does not know, it need not answer.
      fc.pre(!onPaper.stderr.includes('not understood by the paper kernel'))
      const onHost = await given(real.kernel, name, input)
      const blames = onPaper.code === DIED ? doneOrNot : verdict
      sameLines(blames(onPaper), blames(onHost))
      sameLines(await contents(paper, name), await contents(real.kernel, name))
    }
  } finally {
    await real.end()
  }
}

function given(kernel: Kernel, name: IptablesName, input: string): Promise<Outcome> {
  return kernel.run(anyCommand([`${name}-restore`, '--noflush'], { input }))
}

/** As a shell says that a program used memory that was not its own. A program that does may live on, and then blames any line. */
const DIED = 139

function doneOrNot({ code }: Outcome): string {
  return code === 0 ? 'done' : 'refused'
}

function verdict({ code, stderr }: Outcome): string {
  return code === 0 ? 'done' : `refused, ${/line:? \d+/.exec(stderr)?.[0].replace(':', '') ?? 'no line'}`
}
