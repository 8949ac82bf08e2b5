import { ConfigFields } from '#cni/protocol/config-fields.ts'
import { CniError, CODE, problemsText } from '#cni/protocol/error.ts'
import { isJsonObject, readJson, shownJson } from '#cni/protocol/json.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import { decodeResult } from '#cni/protocol/shapes/decode-result.ts'
import { NOT_EXECUTABLE, type Outcome, TIMED_OUT } from '#system/ports.ts'

// What a plugin printed, and its exit status → done, or the CniError it answered with. What is no answer at all becomes one
// clear sentence that has the plugin's name and its own words in it.

export function mustSucceed(name: string, { code, stdout, stderr }: Outcome): void {
  if (code === 0) return
  const how = `plugin ${JSON.stringify(name)} failed with exit status ${code}`
  const said = lastLine(stderr) || 'it said nothing'
  if (code === NOT_EXECUTABLE && stdout === '') throw new CniError(CODE.io, stderr.trim() || `${how}: ${said}`)
  if (code === TIMED_OUT && stdout.trim() === '') throw new CniError(CODE.tryAgainLater, `${how}: ${said}`)
  if (stdout.trim() === '') throw new CniError(CODE.internal, `${how}: ${said}`)
  const read = readJson(stdout)
  if (read.ok && isJsonObject(read.json) && typeof read.json.msg === 'string')
    throw answered(read.json, read.json.msg || `${how}: it gave no reason`)
  throw new CniError(
    CODE.internal,
    `${how}, but its answer is not the JSON object of an error: ${shownJson(stdout)}`,
    lastLine(stderr),
  )
}

/** The result of an ADD that succeeded. */
export function resultOf(name: string, stdout: string): CniResult {
  const read = readJson(stdout)
  // Go plugins may print null, and mean a result without anything in it.
  const json = read.ok && read.json === null ? {} : read.ok ? read.json : undefined
  if (!isJsonObject(json)) {
    const message = `plugin ${JSON.stringify(name)} succeeded, but its answer is not the JSON object of a result: ${shownJson(stdout)}`
    throw new CniError(CODE.decode, message, 'a plugin may print nothing else on stdout; its log belongs on stderr')
  }
  const fields = new ConfigFields(json)
  const result = decodeResult(fields)
  if (fields.problems.length === 0) return result
  const message = `plugin ${JSON.stringify(name)} succeeded, but its result cannot be used: ${problemsText(fields.problems)}`
  throw new CniError(CODE.decode, message)
}

function answered({ code, details }: Readonly<Record<string, unknown>>, message: string): CniError {
  // Runtimes read it as a whole number, and nothing of the answer where it is none.
  const number = Number.isSafeInteger(code) && Number(code) > 0 ? Number(code) : CODE.internal
  return new CniError(number, message, typeof details === 'string' ? details : '')
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)!.trim()
}
