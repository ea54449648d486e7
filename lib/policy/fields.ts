// The fields of a policy, and how a problem of a field is reported.
import { childPointer, type CorsProblem, type CorsProblemReason } from '../messages/errors'
import type { CorsOriginFunction } from '../origins/types'
import type { OriginList } from '../origins/list'

/** The fields of a policy after `extends` is resolved. Each field has the right type; the elements of arrays are checked here. */
export interface PolicyFields {
  readonly origin?: string | readonly unknown[] | OriginList | CorsOriginFunction
  readonly credentials?: boolean | readonly unknown[] | OriginList
  readonly allowedHeaders?: '*' | readonly unknown[]
  readonly exposedHeaders?: '*' | readonly unknown[]
  readonly maxAge?: number
  readonly optionsSuccessStatus?: 200 | 204
  readonly enforceOrigin?: boolean | 'report'
  readonly timingOrigin?: true | '*' | readonly unknown[]
  readonly resourcePolicy?: 'same-origin' | 'same-site' | 'cross-origin'
  readonly dangerouslyAllowInsecureOrigins?: boolean
  readonly dangerouslyAllowPublicSuffixes?: boolean
}

/** A problem of a field. */
export interface FieldProblem {
  readonly reason: CorsProblemReason
  readonly message: string
  /** The position and the value of the array element that has the problem. */
  readonly index?: number
  readonly value?: unknown
  /** The other fields without which there would be no problem. */
  readonly involvedFields?: ReadonlyArray<keyof PolicyFields> | undefined
}

/** Reports a problem of a field. */
export type Report = (field: keyof PolicyFields, problem: FieldProblem) => void

/**
 * A problem of a field, with its pointer. A problem of several fields is reported at one that the declaration sets itself: the first field that has it
 * may be inherited, and is valid where it was declared.
 */
export function toCorsProblem (
  field: keyof PolicyFields,
  { reason, message, index, value, involvedFields = [] }: FieldProblem,
  fields: PolicyFields,
  ownFields: ReadonlySet<string>,
  pointer: string
): CorsProblem {
  const reported = [field, ...involvedFields].find((candidate) => ownFields.has(candidate)) as keyof PolicyFields
  const fieldPointer = childPointer(pointer, reported)
  if (reported !== field || index === undefined) return { pointer: fieldPointer, reason, value: fields[reported], message }
  return { pointer: childPointer(fieldPointer, index), reason, value, message }
}
