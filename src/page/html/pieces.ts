import { type Hole, type Html, html } from './html.ts'

// Values → the small pieces that pages are made of.

/** Every state is a word; its color only helps. */
export type Tone = 'good' | 'bad' | 'warn' | 'plain'

export function chip(word: string, tone: Tone): Html {
  return html`<span class="chip ${tone}">${word}</span>`
}

export function yesNo(value: boolean): Html {
  return value ? html`yes` : html`<span class="dim">no</span>`
}

/** UTC: logs of all nodes have it. */
export function moment(ms: number | undefined): Html {
  if (ms === undefined || !(ms > 0 && ms <= LATEST_MS)) return html`<span class="dim">never</span>`
  const iso = new Date(ms).toISOString()
  return html`<time datetime="${iso}" title="${iso}">${iso.slice(11, 19)}<span class="dim"> ${iso.slice(0, 10)}</span></time>`
}

/** Beyond it there are no dates. */
const LATEST_MS = 8.64e15

/** Rounded first: 59.99 s are a minute, not 60.0 s. */
export function duration(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

export function count(n: number | bigint, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 || n === 1n ? one : many}`
}

/** `12,345`; what an IPv6 range has is no number to read: `2^64`, rounded. */
export function grouped(n: number | bigint): string {
  return n < LONGEST ? n.toLocaleString('en-US') : `2^${Math.round(Math.log2(Number(n)))}`
}

const LONGEST = 10n ** 12n

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`
  return n < 999_950 ? `${(n / 1e3).toFixed(1)} kB` : `${(n / 1e6).toFixed(1)} MB`
}

export function code(text: string): Html {
  return html`<code>${text}</code>`
}

export function link(to: string, text: Hole): Html {
  return html`<a href="${to}">${text}</a>`
}

export interface Fact {
  readonly name: string
  readonly value: Hole
}

/** Facts without a value are left out. */
export function facts(list: readonly Fact[]): Html {
  const shown = list.filter(({ value }) => value !== undefined && value !== false && value !== '')
  return html`<dl class="facts">${shown.map(({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`
}

/** Joined by commas; a dash where there is none. */
export function listed(items: readonly Hole[]): Html {
  if (items.length === 0) return html`<span class="dim">–</span>`
  return html`${items.map((item, i) => (i === 0 ? item : html`, ${item}`))}`
}

/** Text as a tool prints it; the first lines, where there are many. */
export function listing(text: string, { label, most }: { readonly label: string; readonly most: number }): Html {
  const lines = text.split('\n')
  const more = lines.length - most
  const shown = more > 0 ? lines.slice(0, most).join('\n') : text
  return html`<pre tabindex="0" role="region" aria-label="${label}">${shown}${more > 0 && `\n… ${count(more, 'more line')}`}</pre>`
}

/** What is read for a part of a page, and shown; where it cannot be read, why: the other parts stand all the same. */
export function partOf<T>(read: () => T, shown: (value: T) => Html): Html {
  let value: T
  try {
    value = read()
  } catch (error) {
    return html`<p class="problem" role="alert">This cannot be read: ${(error as Error).message}.</p>`
  }
  return shown(value)
}
