import type { WitnessName } from '#ipam/witnesses/verdict.ts'
import { leakJson } from './leak-json.ts'
import { leakSummary, leakTable } from './leak-table.ts'
import { type LeakRound, leakRound, type RoundParts, suspicionsAfter } from './round.ts'
import { type TakeBackParts, type TakenBack, takeBack } from './take-back.ts'

// `ipam gc` and `ipam check`: one round by hand → a table of what it found, and what was done about it.

export interface LeakCommandParts {
  readonly round: Omit<RoundParts, 'asked'>
  readonly takeBack: TakeBackParts
  /** What is wrong with the database itself, one sentence each. */
  readonly faults: () => Promise<readonly string[]>
  /** Why the API server could not be asked. */
  readonly apiFailure: () => string | undefined
  /** JSON for programs; without it lines for people. */
  readonly output?: 'json'
}

export interface LeakCommandAnswer {
  readonly text: string
  /** 1 where something needs a look. */
  readonly status: 0 | 1
}

/** Without `free` it changes nothing, and its round does not count. */
export async function collected(parts: LeakCommandParts, does: 'print' | 'free'): Promise<LeakCommandAnswer> {
  const round = await leakRound({ ...parts.round, asked: 'all' })
  const takenBack: TakenBack[] = []
  if (does === 'free') {
    await parts.round.book.keep(suspicionsAfter(round), round.conflicts)
    const leaked = round.attachments.filter(({ verdict }) => verdict.is === 'leaked')
    for (const attachment of leaked) takenBack.push(await takeBack(attachment, parts.takeBack))
  }
  const isLeft = takenBack.some(({ outcome }) => outcome === 'failed')
  if (parts.output === 'json') return { text: leakJson({ ...round, takenBack }), status: isLeft ? 1 : 0 }
  const blocks = [
    leakTable({ ...round, takenBack, shows: 'doubtful' }),
    ...failedLines(round, parts),
    ...hints(round, does),
  ]
  return { text: text([...blocks, leakSummary({ ...round, takenBack })]), status: isLeft ? 1 : 0 }
}

/** Leases against the witnesses, and the database against itself. */
export async function checked(parts: LeakCommandParts): Promise<LeakCommandAnswer> {
  const faults = await parts.faults()
  const round = await leakRound({ ...parts.round, asked: 'all' })
  const isWell =
    faults.length + round.conflicts.length + round.failed.length === 0 &&
    round.attachments.every(({ verdict }) => verdict.is === 'live' || verdict.is === 'young')
  if (parts.output === 'json') return { text: leakJson({ ...round, faults }), status: isWell ? 0 : 1 }
  const lines = [leakTable({ ...round, shows: 'disputed' }), ...faults, ...failedLines(round, parts)]
  return { text: text([...lines, leakSummary(round)]), status: isWell ? 0 : 1 }
}

function text(blocks: readonly string[]): string {
  return blocks.filter(block => block !== '').join('\n')
}

function failedLines({ failed }: LeakRound, { apiFailure }: LeakCommandParts): readonly string[] {
  return failed.map(name => {
    const why = name === 'api' ? apiFailure() : undefined
    return `${SAID[name]} could not be asked${why === undefined ? '' : ` (${why})`}: what might be in use by that is not freed.`
  })
}

const SAID: Readonly<Record<WitnessName, string>> = {
  namespace: 'Some network namespaces',
  runtime: "The runtime's results",
  api: 'The API server',
}

function hints({ attachments }: LeakRound, does: 'print' | 'free'): readonly string[] {
  const has = (is: string): boolean => attachments.some(({ verdict }) => verdict.is === is)
  return [
    ...(does === 'print' && has('leaked') ? ['Nothing was changed: --free takes back what is LEAKED.'] : []),
    ...(has('suspect')
      ? ['What is SUSPECT is leaked once no witness has named it in three rounds, a minute apart.']
      : []),
  ]
}
