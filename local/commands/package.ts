import { relative } from 'node:path'
import { packageApp } from '../build/package.ts'

const { folder, zip, maps, files, bytes } = await packageApp()
console.log(`${files.length} files, ${Math.ceil(bytes / 1024)} KiB
  ${relative(process.cwd(), zip)}
  ${relative(process.cwd(), folder)}
  ${relative(process.cwd(), maps)} (not deployed; keep it to read stacks with npm run stack)`)
