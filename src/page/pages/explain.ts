import { type Html, html } from '../html/html.ts'
import { chip, code, count } from '../html/pieces.ts'
import type { PageKind } from '../request.ts'
import type { ExplainAnswer, ExplainedTarget, ExplainedWay, ExplainQuestion } from '../views/explain.ts'

// Where a packet goes, and why: a form, and its answer hop by hop.

export const EXPLAIN: PageKind = {
  path: '/page/explain',
  label: 'Explain',
  isThere: ({ explain }) => explain !== undefined,
  follows: () => [],
  content: async ({ explain }, { query }) => {
    const [from, to] = [(query.get('from') ?? '').trim(), (query.get('to') ?? '').trim()]
    const question = { from: from || explain!.from(), to }
    const answer = to === '' ? undefined : await explain!.ask(question)
    return {
      title: 'Explain',
      intro: form(question, answer),
      parts: answer?.ok ? [{ id: 'answer', body: html`${answer.targets.map(targetText)}` }] : [],
    }
  },
}

function form({ from, to }: ExplainQuestion, answer: ExplainAnswer | undefined): Html {
  const problem = answer?.ok === false ? answer.problem : undefined
  const described = problem !== undefined && html` aria-invalid="true" aria-describedby="problem"`
  return html`<p>Where does the first packet of a connection go, under the rules that this node should have?</p>
<form class="search" action="/page/explain">
<label>From <input name="from" value="${from}" required placeholder="10.244.1.7, pod/NAME or node" spellcheck="false" autocomplete="off" maxlength="100"${described}></label>
<label class="grows">To <input name="to" value="${to}" required placeholder="shop/cart, svc/shop/cart:http or 10.96.0.10:53/udp" spellcheck="false" autocomplete="off" maxlength="100"${described}></label>
<button>Explain</button>
</form>
${problem !== undefined && html`<p class="problem" id="problem" role="alert">${problem}</p>`}`
}

/** Of a Service with very many endpoints. */
const WAYS = 50

function targetText({ from, to, ways, reason, findings }: ExplainedTarget): Html {
  const more = ways.length - WAYS
  const shown = ways.slice(0, WAYS).map((way, i) => wayText(way, i === 0 ? 'open' : 'closed', ways.length))
  const looks = findings.map(finding => html`<li>${finding}.</li>`)
  return html`<h2>${code(from)} → ${code(to)}</h2>
${reason !== undefined && html`<p class="reason"><strong>Why:</strong> ${reason}.</p>`}
${looks.length > 0 && html`<ul class="troubles">${looks}</ul>`}
${shown}${more > 0 && html`<p class="dim">And ${count(more, 'more way')} like these.</p>`}`
}

function wayText({ share, steps, end, arrives, source }: ExplainedWay, state: 'open' | 'closed', of: number): Html {
  const chance = of > 1 && html`<span class="share dim">${(share * 100).toFixed(1)} %</span> `
  const hops = steps.map(({ at, did, rule }) => html`<li>${code(at)} ${did}<code class="rule">${rule}</code></li>`)
  const word = chip(arrives ? 'arrives' : 'ends', arrives ? 'good' : 'warn')
  const seen = source !== undefined && html`<p class="seen">Source: ${source}.</p>`
  return html`<details class="way"${state === 'open' && html` open`}><summary>${chance}${word} <span class="end">It ${end}.</span></summary>${seen}${steps.length > 0 && html`<ol class="hops">${hops}</ol>`}</details>`
}
