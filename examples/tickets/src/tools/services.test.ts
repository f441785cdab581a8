/** The tools that use services: the second API, and the audit log with its hook. */

import { ToolError } from '@mcp-template/server'
import { callTool } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import type { AuditEntry } from '../audit-log.ts'
import audit from '../hooks/audit.ts'
import auditList from './audit-list.ts'
import incidentList from './incident-list.ts'

const INCIDENT = { title: 'Mail is late', since: '2026-03-14T09:00:00Z' }

test('lists incidents of the region', async () => {
  const asked: string[] = []
  const incidents = async (region: string) => {
    asked.push(region)
    return [INCIDENT]
  }
  const options = {
    services: { statusApi: { incidents } },
    settings: { TICKETS_REGION: 'us' },
  } as const
  const result = await callTool(incidentList, {}, options)
  expect(result.structuredContent).toEqual({ incidents: [INCIDENT] })
  expect(asked).toEqual(['us'])
})

test('records how a call ended, and for whom', async () => {
  const entries: AuditEntry[] = []
  const record = async (entry: AuditEntry) => void entries.push(entry)
  const incidents = async () => {
    throw new ToolError('The status page is unavailable.', { code: 'status_unavailable' })
  }
  const services = { auditLog: { record }, statusApi: { incidents } }
  const options = { services, hooks: [audit], caller: { subject: 'ada' } }
  expect((await callTool(incidentList, {}, options)).code).toBe('status_unavailable')
  expect(entries).toMatchObject([
    { subject: 'ada', kind: 'tool', name: 'incident_list', outcome: 'status_unavailable' },
  ])
})

test('lists the audit log', async () => {
  const entry = { at: '', subject: 'ada', kind: 'tool', name: 'ticket_read', outcome: 'ok' }
  const recent = async (limit: number) => Array.from({ length: limit }, () => entry)
  const result = await callTool(auditList, { limit: 2 }, { services: { auditLog: { recent } } })
  expect(result.structuredContent).toEqual({ entries: [entry, entry] })
})
