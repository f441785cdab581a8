/** How the server presents itself to clients, in both eras. */

import type { Implementation } from '@modelcontextprotocol/server'
import type { Logo } from '../config/logo.ts'
import type { Config } from '../config.ts'
import { LOGO_PATH } from '../http/logo.ts'

export interface ServerFacts {
  readonly config: Pick<Config, 'app'>
  readonly publicUrl: string
  readonly logo?: Logo | undefined
}

/** 2025-11-25, schema, `Implementation`. */
export function implementationOf({
  config: { app },
  publicUrl,
  logo,
}: ServerFacts): Implementation {
  const { name, identifier, version } = app
  const icon = logo && { src: `${publicUrl}${LOGO_PATH}`, mimeType: logo.mediaType }
  return {
    ...{ name: identifier, version },
    ...(name !== identifier && { title: name }),
    ...(icon !== undefined && { icons: [icon] }),
  }
}
