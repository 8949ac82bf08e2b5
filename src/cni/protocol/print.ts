import type { CniError } from './error.ts'
import { printedJson } from './json.ts'
import type { CniResult } from './result.ts'
import { resultJson } from './shapes/print-result.ts'
import { CNI_VERSIONS, type CniVersion, NEWEST } from './versions.ts'

// A result, an error, the versions we speak → the text that goes to stdout.

export function printedResult(result: CniResult, version: CniVersion): string {
  return printedJson(resultJson(result, version))
}

/** The newest version where the configuration's could not be found out. */
export function printedError({ code, message, details }: CniError, cniVersion: CniVersion = NEWEST): string {
  return printedJson({ cniVersion, code, msg: message, ...(details !== '' && { details }) })
}

export function printedVersions(): string {
  return `${JSON.stringify({ cniVersion: NEWEST, supportedVersions: CNI_VERSIONS })}\n`
}
