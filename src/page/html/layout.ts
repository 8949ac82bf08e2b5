import type { PageContent } from '../request.ts'
import type { PageAbout } from '../views/sources.ts'
import { type Html, html } from './html.ts'

// The content of a page → the whole document, with landmarks that a screen reader can go through.

export interface LayoutParts {
  readonly about: PageAbout
  readonly content: PageContent
  readonly links: readonly { readonly path: string; readonly label: string; readonly isHere: boolean }[]
  /** Whether its parts come anew as they change. */
  readonly isLive: boolean
  readonly assets: { readonly style: string; readonly script: string; readonly icon: string }
}

export function layout({ about, content, links, isLive, assets }: LayoutParts): Html {
  const { program, node, version, mode } = about
  const { title, intro, parts } = content
  const navigation = links.map(
    ({ path, label, isHere }) => html`<li><a href="${path}"${isHere && html` aria-current="page"`}>${label}</a></li>`,
  )
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${node} · Switchyard</title>
<link rel="stylesheet" href="${assets.style}">
<link rel="icon" href="${assets.icon}" type="image/svg+xml">
<script src="${assets.script}" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<p class="brand"><a href="/">Switchyard</a> <span class="dim">${program}${mode !== undefined && ` · ${mode}`} · ${version}</span></p>
<p class="node"><span class="dim">node</span> ${node}</p>
<nav aria-label="Pages"><ul>${navigation}</ul></nav>
</header>
<main id="main" tabindex="-1"${isLive && html` data-live`}>
<div class="title"><h1>${title}</h1><p class="live" id="live" role="status" aria-live="polite"></p></div>
${intro}
${parts.map(({ id, body }) => html`<section id="part-${id}">${body}</section>`)}
</main>
<footer><p>Times are UTC. Also here: ${['/metrics', '/healthz'].map((path, i) => html`${i > 0 && ', '}<a href="${path}">${path}</a>`)}.</p></footer>
</body>
</html>
`
}
