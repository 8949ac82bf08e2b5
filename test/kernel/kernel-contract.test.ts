import fc from 'fast-check'
import { describe, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import type { Kernel, Outcome } from '#system/ports.ts'
import { documentsIn } from '../contracts/kernel/random-documents.ts'
import { contents, type IptablesName, kernelContract } from '../contracts/kernel.ts'
import { sameLines } from '../support/same-lines.ts'
import { cannotRun, newNamespace } from './namespace.ts'

// The real tools: they pass the contract that the paper ones pass, and where the contract says nothing, both do the same.

const NAMES: readonly IptablesName[] = ['iptables-nft', 'iptables-legacy', 'ip6tables-nft', 'ip6tables-legacy']
const DOCUMENT_LISTS = 60

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
          { numRuns: DOCUMENT_LISTS, interruptAfterTimeLimit: 50_000 },
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
      sameLines(verdict(onPaper), verdict(await given(real.kernel, name, input)))
      sameLines(await contents(paper, name), await contents(real.kernel, name))
    }
  } finally {
    await real.end()
  }
}

function given(kernel: Kernel, name: IptablesName, input: string): Promise<Outcome> {
  return kernel.run(anyCommand([`${name}-restore`, '--noflush'], { input }))
}

/** A program that died names no line. */
function verdict({ code, stderr }: Outcome): string {
  return code === 0 ? 'done' : `refused, ${/line:? \d+/.exec(stderr)?.[0].replace(':', '') ?? 'no line'}`
}
