/** The server's `Implementation` (name, version, icons) for clients of both eras. */

import type { Implementation } from '@modelcontextprotocol/server'
import type { Logo } from '../config/logo-file.ts'
import type { Config } from '../config.ts'
import { LOGO_PATH } from '../http/pages/logo-route.ts'

export interface ServerFacts {
  readonly config: Pick<Config, 'app' | 'pages' | 'introduction'>
  readonly publicUrl: string
  readonly logo?: Logo | undefined
}

/** 2025-11-25, schema, `Implementation`. */
export function implementationOf({
  config: { app, pages, introduction },
  publicUrl,
  logo,
}: ServerFacts): Implementation {
  const { name, identifier, version } = app
  const { description } = pages
  const { websiteUrl, icons: given = [] } = introduction ?? {}
  const ofLogo = logo && [{ src: `${publicUrl}${LOGO_PATH}`, mimeType: logo.mediaType }]
  const declared = given.map(({ sizes, ...icon }) => ({
    ...icon,
    ...(sizes !== undefined && { sizes: [...sizes] }),
  }))
  const icons = [...(ofLogo ?? []), ...declared]
  return {
    ...{ name: identifier, version },
    ...(name !== identifier && { title: name }),
    ...(description !== undefined && { description }),
    ...(websiteUrl !== undefined && { websiteUrl }),
    ...(icons.length > 0 && { icons }),
  }
}
