/** The second API, and the audit log with its hook. */

import { UpstreamError } from '@mcp-template/server'
import { callTool } from '@mcp-template/server/testing'
import { expect, test } from 'vitest'
import type { AuditEntry } from '../audit-log.ts'
import audit from '../hooks/audit.ts'
import auditList from './audit-list.ts'
import incidentList from './incident-list.ts'

const INCIDENT = { title: 'Mail is late', since: '2026-03-14T09:00:00Z' }

const answering = (answer: object) => ({ upstream: { status: { 'GET /incidents': answer } } })

test('lists incidents of the region', async () => {
  const settings = { TICKETS_REGION: 'us' } as const
  const result = await callTool(incidentList, {}, { ...answering([INCIDENT]), settings })
  expect(result.structuredContent).toEqual({ incidents: [INCIDENT] })
  expect(result.requests).toMatchObject([{ params: { region: 'us' } }])
})

test('records how a call ended, and for whom', async () => {
  const entries: AuditEntry[] = []
  const record = async (entry: AuditEntry) => void entries.push(entry)
  const options = {
    ...answering(new UpstreamError('upstream_failed')),
    services: { auditLog: { record } },
    hooks: [audit],
    caller: { subject: 'ada' },
  }
  await callTool(incidentList, {}, options)
  expect(entries).toMatchObject([
    { subject: 'ada', kind: 'tool', name: 'incident_list', outcome: 'upstream_failed' },
  ])
})

test('lists the audit log', async () => {
  const entry = { at: '', subject: 'ada', kind: 'tool', name: 'ticket_read', outcome: 'ok' }
  const recent = async (limit: number) => Array.from({ length: limit }, () => entry)
  const result = await callTool(
    auditList,
    { limit: 2 },
    { services: { auditLog: { recent } }, caller: { claims: { role: 'admin' } } },
  )
  expect(result.structuredContent).toEqual({ entries: [entry, entry] })
})
