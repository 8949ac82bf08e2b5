import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { html } from '#page/html/html.ts'

describe('html', () => {
  test('escapes what stands in a hole, in text and in an attribute', () => {
    const bad = `<script>alert("it's")</script>&`
    expect(html`<p title="${bad}">${bad}</p>`.toString()).toBe(
      '<p title="&lt;script&gt;alert(&quot;it&#39;s&quot;)&lt;/script&gt;&amp;">' +
        '&lt;script&gt;alert(&quot;it&#39;s&quot;)&lt;/script&gt;&amp;</p>',
    )
  })

  test('takes HTML of its own as it is, also in lists', () => {
    const items = ['<a>', html`<b>${'&'}</b>`].map(item => html`<li>${item}</li>`)
    expect(html`<ul>${items}</ul>`.toString()).toBe('<ul><li>&lt;a&gt;</li><li><b>&amp;</b></li></ul>')
  })

  test('leaves nothing of what is absent or false, and numbers as they are', () => {
    expect(html`${undefined}${false}|${0}|${12n}|${['a', false, 'b']}`.toString()).toBe('|0|12|ab')
  })

  test('does not take for HTML what only looks like it', () => {
    const forged = { toString: () => '<i>', text: '<i>' } as unknown as string
    expect(() => html`${forged}`.toString()).toThrow()
    expect(html`${JSON.parse('"<i>"')}`.toString()).toBe('&lt;i&gt;')
  })

  test('never lets a text end the element or the attribute it stands in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        const inside = html`${text}`.toString()
        expect(inside).not.toMatch(/[<>"']/)
        expect(inside.replace(/&(?:amp|lt|gt|quot|#39);/g, '')).not.toContain('&')
      }),
    )
  })
})
