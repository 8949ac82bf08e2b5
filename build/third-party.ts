import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

// The files a bundle was made of → the packages among them, each with its version and the text of its licence.

export interface BundledPackage {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly texts: readonly string[]
}

/** `inputs` are paths from `root` on, as esbuild's metafile names them. */
export function packagesIn(root: string, inputs: readonly string[]): readonly BundledPackage[] {
  const folders = new Set(inputs.flatMap(path => FOLDER.exec(path)?.[0] ?? []))
  return [...folders].sort().map(folder => described(join(root, folder)))
}

/** Of `some-of-undici:node_modules/undici/lib/x.js` the innermost package's folder. */
const FOLDER = /node_modules\/(?:.*node_modules\/)?(?:@[^/]+\/)?[^/]+/

function described(folder: string): BundledPackage {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const { name, version, license } = manifest as { name: string; version: string; license: string }
  const files = globSync('{LICENSE,LICENCE,license,licence,NOTICE,COPYING}*', { cwd: folder }).sort()
  if (files.length === 0) throw new Error(`${name} ${version} is bundled, but has no licence file in ${folder}`)
  return { name, version, license, texts: files.map(file => readFileSync(join(folder, file), 'utf8').trim()) }
}

export function thirdPartyText(packages: readonly BundledPackage[]): string {
  const sections = packages.map(({ name, version, license, texts }) =>
    [RULE, `${name} ${version} (${license})`, RULE, '', ...texts.flatMap(text => [text, ''])].join('\n'),
  )
  return ['Switchyard contains parts of these packages, each under its own licence.', '', ...sections].join('\n')
}

const RULE = '-'.repeat(80)
