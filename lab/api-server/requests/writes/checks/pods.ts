import { isDeepStrictEqual } from 'node:util'
import type { ApiObject } from '#lab/api-server/object.ts'
import type { FieldProblem } from '../../refusals.ts'
import { type Fields, fieldsOf, listOf } from '../defaults/values.ts'
import { oneOf, PORT, PROTOCOLS, portNameProblems } from './forms.ts'
import { LABEL_NAME, problemOfName } from './names.ts'
import { barred, required, twice, wrong } from './problems.ts'

// The spec of a pod, with its defaults → what kube-apiserver does not take of it, or of a change to it.

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never']
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never']

export function podProblems({ spec }: ApiObject, before: ApiObject | undefined): readonly FieldProblem[] {
  const fields = fieldsOf(spec)
  const own = podSpecProblems(fields, 'spec')
  return before === undefined || own.length > 0 ? own : changeProblems(fields, fieldsOf(before.spec))
}

export function podSpecProblems(spec: Fields, path: string): readonly FieldProblem[] {
  const containers = listOf(spec.containers).map(fieldsOf)
  const first = listOf(spec.initContainers).map(fieldsOf)
  const isOfHost = spec.hostNetwork === true
  return [
    ...(containers.length === 0 ? [required(`${path}.containers`)] : []),
    ...first.flatMap((it, at) => containerProblems(it, `${path}.initContainers[${at}]`)),
    ...containers.flatMap((it, at) => containerProblems(it, `${path}.containers[${at}]`)),
    ...(isOfHost ? hostPortProblems(first, `${path}.initContainers`) : []),
    ...(isOfHost ? hostPortProblems(containers, `${path}.containers`) : []),
    ...duplicateNames(first, `${path}.initContainers`),
    ...duplicateNames(containers, `${path}.containers`),
    ...oneOf(spec.restartPolicy, RESTART_POLICIES, `${path}.restartPolicy`),
    ...oneOf(spec.dnsPolicy, DNS_POLICIES, `${path}.dnsPolicy`),
  ]
}

function containerProblems(container: Fields, path: string): readonly FieldProblem[] {
  const { name, image, imagePullPolicy } = container
  return [
    ...(name ? nameProblems(String(name), `${path}.name`) : [required(`${path}.name`)]),
    ...(image ? [] : [required(`${path}.image`)]),
    ...oneOf(imagePullPolicy, PULL_POLICIES, `${path}.imagePullPolicy`),
    ...listOf(container.ports).flatMap((it, at) => portProblems(fieldsOf(it), `${path}.ports[${at}]`)),
  ]
}

function nameProblems(name: string, path: string): readonly FieldProblem[] {
  const problem = problemOfName(name, LABEL_NAME)
  return problem === undefined ? [] : [wrong(path, name, problem)]
}

function portProblems({ containerPort, protocol, name }: Fields, path: string): readonly FieldProblem[] {
  const field = `${path}.containerPort`
  const number = Number(containerPort ?? 0)
  const problems = number === 0 ? [required(field)] : isPort(number) ? [] : [wrong(field, number, PORT)]
  const named = name ? portNameProblems(String(name), `${path}.name`) : []
  return [...named, ...problems, ...oneOf(protocol, PROTOCOLS, `${path}.protocol`)]
}

/** In the network of its host, a container has no port but that of the host. */
function hostPortProblems(containers: readonly Fields[], path: string): readonly FieldProblem[] {
  return containers.flatMap((container, at) =>
    listOf(container.ports).flatMap((it, port) => {
      const { hostPort, containerPort } = fieldsOf(it)
      if (!hostPort || hostPort === containerPort) return []
      const why = 'must match `containerPort` when `hostNetwork` is true'
      return [wrong(`${path}[${at}].ports[${port}].hostPort`, hostPort, why)]
    }),
  )
}

function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= 65_535
}

function duplicateNames(containers: readonly Fields[], path: string): readonly FieldProblem[] {
  return containers.flatMap(({ name }, at) =>
    name && containers.findIndex(it => it.name === name) < at ? [twice(`${path}[${at}].name`, name)] : [],
  )
}

const CHANGEABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** A pod that is there keeps nearly all of its spec. */
function changeProblems(spec: Fields, before: Fields): readonly FieldProblem[] {
  const [now, then] = [listOf(spec.containers).length, listOf(before.containers).length]
  if (now !== then) return [barred('spec.containers', 'pod updates may not add or remove containers')]
  return isDeepStrictEqual(lasting(spec), lasting(before)) ? [] : [barred('spec', CHANGEABLE)]
}

function lasting(spec: Fields): Fields {
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, ...rest } = spec
  const withoutImages = (list: unknown) => listOf(list).map(it => ({ ...fieldsOf(it), image: '' }))
  return {
    ...rest,
    containers: withoutImages(spec.containers),
    initContainers: withoutImages(spec.initContainers),
  }
}
