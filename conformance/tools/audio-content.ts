/** `test_audio_content`: answers with sound. */

import { z } from 'zod'
import { defineContentTool } from '../../packages/server/src/engine/index.ts'
import { SILENT_WAV } from '../samples.ts'

export default defineContentTool({
  name: 'test_audio_content',
  description: 'Answers with sound.',
  input: z.object({}),
  async run() {
    return [{ type: 'audio', data: SILENT_WAV, mimeType: 'audio/wav' }]
  },
})
