import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { environment } from '../../shared/settings.ts'
import { CommandError } from '../processes/command-error.ts'
import { dataFolder, requireRunning } from '../start/data-folder.ts'
import { openStoredFiles } from '../start/stored-files.ts'

/** `npm run files -- [ls|cat|get] …`: the files that the app has written to the storage of a running `npm start`. */
const usage = `npm run files                         lists them
npm run files -- ls PREFIX            lists those whose names begin so
npm run -s files -- cat NAME          prints one, unpacked if it is compressed
npm run files -- get PREFIX FOLDER    copies them into a folder, with their paths`

const [action = 'ls', name = '', folder = '.'] = process.argv.slice(2)
const { storage, container } = await requireRunning(dataFolder(environment()))
const files = openStoredFiles(storage, container)

if (action === 'ls') {
  for (const { name: found, bytes } of await files.list(name)) console.log(`${String(bytes).padStart(10)}  ${found}`)
} else if (action === 'cat' && name !== '') {
  const text = await files.readText(name)
  if (text === undefined) throw new CommandError(`There is no file ${name}. List them with: npm run files`)
  process.stdout.write(text)
} else if (action === 'get' && name !== '') {
  const found = await files.list(name)
  if (found.length === 0) throw new CommandError(`No file begins with ${name}. List them with: npm run files`)
  for (const file of found) {
    const target = join(folder, file.name)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, (await files.read(file.name)) ?? '')
    console.log(relative(process.cwd(), target))
  }
} else throw new CommandError(usage)
