import { type Hole, type Html, html } from './html.ts'

// Columns and rows → a table that a screen reader can name, in a region that a keyboard can scroll.

export interface TableColumn<Row> {
  readonly title: string
  readonly cell: (row: Row) => Hole
  readonly kind?: 'number' | 'code' | 'wide'
  /** What a row is called: a heading of its row. */
  readonly names?: 'row'
}

export interface TableParts<Row> {
  readonly caption: string
  readonly columns: readonly TableColumn<Row>[]
  readonly rows: readonly Row[]
  /** What stands there where there is no row. */
  readonly empty: string
  /** Of a row, for the browser: a row that stays keeps its element, and so what has the focus. */
  readonly keyOf?: (row: Row) => string
}

export function table<Row>({ caption, columns, rows, empty, keyOf }: TableParts<Row>): Html {
  if (rows.length === 0) return html`<p class="empty">${empty}</p>`
  const head = columns.map(({ title, kind }) => html`<th scope="col"${classOf(kind)}>${title}</th>`)
  const body = rows.map(row => rowOf(row, columns, keyOf?.(row)))
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>`
}

function rowOf<Row>(row: Row, columns: readonly TableColumn<Row>[], key: string | undefined): Html {
  const cells = columns.map(({ cell, kind, names }) =>
    names === 'row'
      ? html`<th scope="row"${classOf(kind)}>${cell(row)}</th>`
      : html`<td${classOf(kind)}>${cell(row)}</td>`,
  )
  return html`<tr${key !== undefined && html` data-key="${key}"`}>${cells}</tr>`
}

function classOf(kind: TableColumn<unknown>['kind']): Hole {
  return kind !== undefined && html` class="${kind}"`
}
