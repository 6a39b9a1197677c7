import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../local/build/bundle.ts'

/** The text of a document, by its path from the root of the repository. */
export const readDocument = (path: string): string => readFileSync(join(root, path), 'utf8')

/** A section from its heading to the next one of the same level. */
export const sectionOf = (text: string, heading: string): string =>
  text.split(/^## /m).find(section => section.startsWith(`${heading}\n`)) ?? ''

const cellsOf = (line: string): string[] =>
  line
    .replace(/^\||\|$/g, '')
    .split('|')
    .map(cell => cell.trim())

/** The tables of a text: for each its rows, without the head, as cells. */
export const tablesIn = (text: string): string[][][] =>
  [...text.matchAll(/^\|.*\|\n\|[ :|-]+\|\n((?:\|.*\|(?:\n|$))*)/gm)].map(([, rows = '']) =>
    rows.trim() === '' ? [] : rows.trim().split('\n').map(cellsOf),
  )

/** The names in code font in a cell. */
export const codeIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

/** The anchor that GitHub gives a heading. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-')
