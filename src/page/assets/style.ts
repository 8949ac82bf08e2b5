// How pages look: dense and calm, in dark and light, down to the width of a phone.

export const STYLE = `
:root {
  color-scheme: light dark;
  --back: #fbfbfa; --raised: #ffffff; --text: #1c2126; --dim: #59636d; --line: #dcdfe2; --accent: #0b5ca8;
  --good: #0f6a37; --good-back: #e2f3e8; --warn: #7a4b00; --warn-back: #fdf0d5; --bad: #a3171f; --bad-back: #fde5e5;
  --plain-back: #eceef0; --flash: #fff0b8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14171a; --raised: #1b1f23; --text: #e3e7ea; --dim: #9aa5af; --line: #31373d; --accent: #7cbcf5;
    --good: #7fd9a0; --good-back: #12321f; --warn: #f1c26b; --warn-back: #382a0d; --bad: #ff9c9c; --bad-back: #431a1c;
    --plain-back: #2a3036; --flash: #4a4213;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body { margin: 0; background: var(--back); color: var(--text); font: 14px/1.45 system-ui, sans-serif }
a { color: var(--accent); text-underline-offset: 2px }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, [tabindex="0"]:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px
}
.skip { position: absolute; left: -999px; padding: 8px; background: var(--raised); z-index: 2 }
.skip:focus { left: 8px; top: 8px }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
header { display: flex; flex-wrap: wrap; gap: 0 20px; align-items: baseline; padding: 10px 20px 0; background: var(--raised); border-bottom: 1px solid var(--line) }
header p { margin: 0 }
.brand a { color: inherit; font-weight: 650; font-size: 16px; text-decoration: none }
.node { margin-left: auto; font-weight: 600 }
.node .dim { font-weight: 400 }
nav ul { display: flex; flex-wrap: wrap; gap: 0 2px; margin: 6px -10px 0; padding: 0; list-style: none }
header nav { flex-basis: 100%; min-width: 0 }
header nav a { display: block; padding: 7px 10px; color: var(--dim); text-decoration: none; border-bottom: 2px solid transparent }
header nav a:hover { color: var(--text) }
header nav a[aria-current] { color: var(--text); border-color: var(--accent); font-weight: 600 }
main { max-width: 1440px; margin: 0 auto; padding: 14px 20px 30px; outline: none }
.title { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; margin-bottom: 10px }
h1 { margin: 0; font-size: 20px; overflow-wrap: anywhere }
h2 { margin: 24px 0 6px; font-size: 15px }
h2 code { font-weight: 400; color: var(--dim) }
h3 { margin: 12px 0 4px; font-size: 13px }
section:first-of-type > h2:first-child { margin-top: 10px }
.live { margin: 0 0 0 auto; color: var(--dim); font-size: 13px }
.live[data-state]::before { content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 6px; border-radius: 50%; background: var(--dim) }
.live[data-state=on]::before { background: var(--good) }
.live[data-state=off]::before { background: var(--warn) }
.dim, small { color: var(--dim) }
small { font-size: 12px }
code, pre, tbody .code { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 12.5px }
pre { margin: 0 0 8px; padding: 8px 10px; overflow: auto; max-height: 480px; overflow-wrap: normal; background: var(--raised); border: 1px solid var(--line); border-radius: 6px; line-height: 1.5 }
.scroll { position: relative; overflow-x: auto; background: var(--raised); border: 1px solid var(--line); border-radius: 6px }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
th, td { padding: 5px 10px; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); white-space: nowrap }
tbody tr:last-child > * { border-bottom: 0 }
thead th { color: var(--dim); font-weight: 500; font-size: 12px; border-bottom: 1px solid var(--line) }
tbody th { font-weight: 500 }
tbody tr:hover > * { background: color-mix(in srgb, var(--accent) 5%, transparent) }
.number { text-align: right }
.wide { white-space: normal; min-width: 240px; overflow-wrap: anywhere }
.chip { display: inline-block; padding: 0 7px; border-radius: 9px; font-size: 12px; line-height: 18px; background: var(--plain-back); white-space: nowrap }
.chip.good { color: var(--good); background: var(--good-back) }
.chip.warn { color: var(--warn); background: var(--warn-back) }
.chip.bad { color: var(--bad); background: var(--bad-back); font-weight: 600 }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 10px; margin: 0; padding: 0; list-style: none }
.cards li { padding: 9px 12px; background: var(--raised); border: 1px solid var(--line); border-radius: 6px }
.cards .name { font-weight: 600; margin-right: 4px }
.cards .says { display: block; margin-top: 2px; color: var(--dim); font-size: 13px }
.troubles { margin: 0; padding: 8px 12px 8px 28px; background: var(--raised); border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 6px; overflow-wrap: anywhere }
.bare { margin: 0; padding: 0; list-style: none }
.empty { margin: 0; padding: 10px 12px; color: var(--dim); background: var(--raised); border: 1px dashed var(--line); border-radius: 6px }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 8px 20px; margin: 0 }
.facts > div { min-width: 0 }
.facts dt { color: var(--dim); font-size: 12px }
.facts dd { margin: 0; overflow-wrap: anywhere }
.search { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: end; margin: 0 0 12px }
.search label { display: grid; gap: 2px; color: var(--dim); font-size: 12px }
.grows { flex: 1 1 260px; max-width: 560px }
input, select, button { font: inherit; font-size: 14px; color: var(--text); background: var(--raised); border: 1px solid var(--dim); border-radius: 6px; padding: 5px 9px; min-height: 34px; width: 100% }
button { width: auto; cursor: pointer; border-color: var(--line) }
.search button { background: var(--accent); color: var(--back); border-color: var(--accent); font-weight: 600 }
.title button { min-height: 26px; padding: 1px 10px; font-size: 13px; color: var(--dim) }
button[aria-pressed=true] { color: var(--text); border-color: var(--dim) }
h3 code { overflow-wrap: anywhere }
.headline { margin: 0 0 6px; color: var(--dim) }
.problem { padding: 8px 12px; color: var(--bad); background: var(--bad-back); border-radius: 6px }
.pager { display: flex; gap: 14px; align-items: center; margin: 10px 0 }
.pager a { padding: 4px 0 }
.back { margin: -4px 0 12px }
.way { margin: 0 0 8px; background: var(--raised); border: 1px solid var(--line); border-radius: 6px }
.way > summary { padding: 8px 12px; cursor: pointer }
.way > summary:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; border-radius: 6px }
.way .share { display: inline-block; min-width: 60px; font-variant-numeric: tabular-nums }
.way .end { font-weight: 600 }
.reason { margin: 0 0 8px; overflow-wrap: anywhere }
.seen { margin: 0; padding: 6px 12px; border-top: 1px solid var(--line); overflow-wrap: anywhere }
.hops { margin: 0; padding: 4px 12px 10px 38px; border-top: 1px solid var(--line) }
.hops li { margin-top: 6px }
.hops .rule { display: block; color: var(--dim); overflow-wrap: anywhere }
footer { max-width: 1440px; margin: 0 auto; padding: 0 20px 20px; color: var(--dim); font-size: 12px }
@media (max-width: 640px) {
  header { padding: 8px 12px 0 }
  .node { margin-left: 0 }
  header nav ul { flex-wrap: nowrap; overflow-x: auto }
  header nav a { white-space: nowrap }
  main { padding: 12px 12px 24px }
  footer { padding: 0 12px 16px }
  th, td { padding: 6px 8px }
  .cards { grid-template-columns: 1fr }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important } }
`
