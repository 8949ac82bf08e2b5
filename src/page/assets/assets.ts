import { hash16 } from '#values/digest.ts'
import { ICON } from './icon.ts'
import { SCRIPT } from './script.ts'
import { STYLE } from './style.ts'

// Style, script and icon → files with their content in their name: a browser keeps them as long as it likes.

export interface PageAsset {
  readonly type: string
  readonly body: string
}

export const ASSET_PATHS = {
  style: pathOf('style.css', STYLE),
  script: pathOf('live.js', SCRIPT),
  icon: pathOf('icon.svg', ICON),
} as const

const ASSETS: ReadonlyMap<string, PageAsset> = new Map([
  [ASSET_PATHS.style, { type: 'text/css; charset=utf-8', body: STYLE }],
  [ASSET_PATHS.script, { type: 'text/javascript; charset=utf-8', body: SCRIPT }],
  [ASSET_PATHS.icon, { type: 'image/svg+xml', body: ICON }],
])

export function assetAt(path: string): PageAsset | undefined {
  return ASSETS.get(path)
}

function pathOf(name: string, content: string): string {
  return `/page/assets/${hash16(content).toLowerCase()}/${name}`
}
