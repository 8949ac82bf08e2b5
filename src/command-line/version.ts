import manifest from '../../package.json' with { type: 'json' }

/** As in `v0.1.0`. */
export const VERSION = `v${manifest.version}`

/** Everything a bug report should hold. */
export function rawVersion(): string {
  const { node, v8, openssl } = process.versions
  return JSON.stringify({ switchyard: VERSION, node, v8, openssl, platform: `${process.platform}/${process.arch}` })
}
