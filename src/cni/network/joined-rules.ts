import type { Clock, Command, Kernel, Outcome } from '#system/ports.ts'

// Changes of rules that several pods ask for at once → one process for all of them. A pod that comes alone waits for nothing.

/** Of one tool and one direction: what adds waits for what adds. */
interface Lane {
  readonly waiting: Waiting[]
  isBusy: boolean
}

interface Waiting {
  readonly command: Command
  readonly document: RuleDocument
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

/** Lines of one table of iptables; or of nft, which names a table in each line. */
interface RuleDocument {
  readonly table: string
  readonly lines: string
}

/**
 * How long a change waits for the one before at most. A program that removes rules goes on for ten milliseconds and more after
 * it has, so its end is not waited for by what adds.
 */
const LONGEST_WAIT_MS = 20

export function joinedRules(kernel: Kernel, clock: Clock): Kernel {
  const lanes = new Map<string, Lane>()
  return {
    run(command) {
      const document = documentOf(command)
      if (document === undefined) return kernel.run(command)
      const key = [...command.argv, document.table, isRemoval(document) ? 'removes' : 'adds'].join(' ')
      const lane = lanes.getOrInsertComputed(key, () => ({ waiting: [], isBusy: false }))
      const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
      lane.waiting.push({ command, document, resolve, reject })
      if (!lane.isBusy) void drain(lane, { kernel, clock })
      return promise
    },
  }
}

async function drain(lane: Lane, { kernel, clock }: { readonly kernel: Kernel; readonly clock: Clock }): Promise<void> {
  lane.isBusy = true
  while (lane.waiting.length > 0) {
    const written = new AbortController()
    const writing = write(kernel, lane.waiting.splice(0)).finally(() => written.abort())
    await Promise.race([writing, clock.sleep(LONGEST_WAIT_MS, written.signal)])
  }
  lane.isBusy = false
}

/** It never rejects, as what waits behind it would wait for ever. All or none; where it is none, each has a document of its own, so that one that is refused stops no other. */
async function write(kernel: Kernel, changes: readonly Waiting[]): Promise<void> {
  const [first, ...others] = changes
  if (first === undefined) return
  if (others.length > 0) {
    const together = { ...first.command, input: joined(changes.map(({ document }) => document)) }
    const outcome = await kernel.run(together).catch(() => undefined)
    if (outcome?.code === 0) {
      for (const { resolve } of changes) resolve(outcome)
      return
    }
  }
  for (const { command, resolve, reject } of changes) await kernel.run(command).then(resolve, reject)
}

function joined(documents: readonly RuleDocument[]): string {
  const [{ table } = { table: '' }] = documents
  const lines = documents.map(document => document.lines).join('')
  return table === '' ? lines : `*${table}\n${lines}COMMIT\n`
}

/** Undefined for what is no change of rules, or changes several tables. */
function documentOf({ argv, input }: Command): RuleDocument | undefined {
  if (input === undefined) return undefined
  if (argv.join(' ') === 'nft -f -') return { table: '', lines: input }
  if (!/^ip6?tables-restore$/.test(argv[0]) || !argv.includes('--noflush')) return undefined
  const [, table, lines] = /^\*(\w+)\n((?:[^*][^\n]*\n)*)COMMIT\n$/.exec(input) ?? []
  return table === undefined || lines === undefined || lines.includes('\nCOMMIT\n') ? undefined : { table, lines }
}

function isRemoval({ lines }: RuleDocument): boolean {
  return /^(?:-X|delete) /m.test(lines)
}
