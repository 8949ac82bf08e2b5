import { expect, test } from 'vitest'
import { type CommentLimit, EndpointComments, SHRUNK } from '#proxy/node/endpoint-comments.ts'

const along = (comments: CommentLimit, ...counts: readonly number[]): readonly boolean[] =>
  counts.map(count => comments.at(count))

test('comments are dropped above 1,000 endpoints, as in kube-proxy', () => {
  expect(along(new EndpointComments(), 0, 999, 1000, 1001, 100_000)).toEqual([true, true, true, false, false])
})

test('they come back only well below, so that a cluster about the limit is written once', () => {
  expect(along(new EndpointComments(), 1000, 1001, 1000, 1001, 999, 901, 900, 1000)).toEqual([
    ...[true, false, false, false, false, false],
    ...[true, true],
  ])
})

test('in a cluster that was larger they are as dropped before', () => {
  expect(along(SHRUNK, 0, 900, 901, 1000, 1001)).toEqual([true, true, false, false, false])
})
