import { relative } from 'node:path'
import { buildApp, root } from '../build/bundle.ts'

const { files, bytes } = await buildApp()
console.log(`Built ${files} files, ${Math.ceil(bytes / 1024)} KiB: ${relative(process.cwd(), `${root}dist`)}`)
