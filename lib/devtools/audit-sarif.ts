// The report of an audit as a SARIF 2.1.0 log (https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html), which code hosts show beside the lines.
import type { AuditedRoute, AuditFinding, AuditReport, AuditRule } from './audit-types'

const RULES: Readonly<Record<AuditRule, string>> = {
  'reflects-any-origin': 'An unrelated origin is answered with its own name.',
  'look-alike-allowed': 'An origin that only looks like an allowed one is allowed.',
  'null-allowed': 'The origin "null" is allowed.',
  'insecure-origin-allowed': 'An unencrypted origin is allowed.',
  'route-policy-ignored': 'A route has a config.cors that its preflight does not use.',
  'unrouted-approved': 'A preflight for a URL or a method without a route is approved.',
  'vary-missing': 'Responses differ by origin, and Vary does not say so.',
  'invalid-combination': 'CORS headers that browsers refuse, or read literally.'
}

const INFORMATION = 'https://github.com/fastify-cors-policy/fastify-cors-policy#readme'

/** `file` is the application, relative to the working directory: the place of routes that no line of the user declares. */
export function sarifOf ({ findings }: AuditReport, file: string): object {
  const ids = Object.keys(RULES)
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{
      tool: {
        driver: {
          name: 'fastify-cors-policy audit',
          informationUri: INFORMATION,
          rules: Object.entries(RULES).map(([id, text]) => ({ id, shortDescription: { text } }))
        }
      },
      results: findings.flatMap((finding) => finding.routes.map((route) => resultOf(finding, route, file, ids.indexOf(finding.rule))))
    }]
  }
}

/** One result for each route: a location is where one change mends one result (section 3.27.12). */
function resultOf ({ rule, level, message, advice }: AuditFinding, route: AuditedRoute, file: string, ruleIndex: number): object {
  const name = `${route.method} ${route.url}`
  const [, uri = file, line, column] = /^(.*):(\d+):(\d+)$/.exec(route.location ?? '') ?? []
  return {
    ruleId: rule,
    ruleIndex,
    level,
    message: { text: `${name}: ${message}. Advice: ${advice}.` },
    locations: [{
      physicalLocation: {
        artifactLocation: { uri: encodeURI(uri) },
        region: line === undefined ? { startLine: 1 } : { startLine: Number(line), startColumn: Number(column) }
      },
      logicalLocations: [{ fullyQualifiedName: name, kind: 'resource' }]
    }],
    // What stays the same while lines move.
    partialFingerprints: { 'route/v1': `${rule} ${name}` }
  }
}
