import { type Finding, Findings } from './finding.ts'
import { type LineColumn, LineIndex } from './json/line-index.ts'
import type { JsonNode } from './json/node.ts'
import { readTolerantly } from './json/reader.ts'
import { checkExecutables, type InstalledPlugins } from './rules/executables.ts'
import { checkNetwork } from './rules/network.ts'
import { checkOverlaps, type Neighbours } from './rules/overlaps.ts'

// The text of a configuration file, and what its ranges must keep away from → all that is wrong with it, from top to bottom.

export interface LintedFile {
  readonly file: string
  readonly text: string
}

/** What a configuration is compared with, besides itself. */
export interface LintedAgainst extends Neighbours {
  /** Where it is known what is installed. */
  readonly installed?: InstalledPlugins
}

export interface PlacedFinding extends Omit<Finding, 'at'>, LineColumn {}

export function lint({ file, text }: LintedFile, against: LintedAgainst): readonly PlacedFinding[] {
  const { root, problems } = readTolerantly(text)
  const findings = new Findings()
  for (const { at, message } of problems) findings.refuse(at, '', message)
  if (root !== undefined) {
    checkNetwork(root, { findings, path: '', file })
    checkOverlaps(root, against, { findings, path: '' })
    if (against.installed !== undefined) checkExecutables(root, against.installed, { findings, path: '' })
  }
  const lines = new LineIndex(text)
  return findings.all.map(({ at, ...finding }) => ({ ...finding, ...lines.at(at) }))
}

/** What another configuration beside this one says, as far as it can be understood. */
export function understood(text: string): JsonNode | undefined {
  return readTolerantly(text).root
}
