import { CniError, CODE } from './error.ts'

// The versions of the specification that we speak. A configuration's version is one of these, letter by letter.

export const CNI_VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const

export type CniVersion = (typeof CNI_VERSIONS)[number]

export const NEWEST: CniVersion = '1.1.0'

export function isCniVersion(text: unknown): text is CniVersion {
  return CNI_VERSIONS.some(version => version === text)
}

export function atLeast(version: CniVersion, wanted: CniVersion): boolean {
  return CNI_VERSIONS.indexOf(version) >= CNI_VERSIONS.indexOf(wanted)
}

/** An absent or empty version is the oldest one, as Go programs treat it. */
export function supportedVersion(text: string): CniVersion {
  const version = text === '' ? '0.1.0' : text
  if (isCniVersion(version)) return version
  const supported = CNI_VERSIONS.map(known => JSON.stringify(known)).join(' ')
  const details = `config is ${JSON.stringify(version)}, plugin supports [${supported}]`
  throw new CniError(CODE.version, 'incompatible CNI versions', details)
}
