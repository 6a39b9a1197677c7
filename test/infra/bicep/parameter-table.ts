import { type Node, partsOf, plainText } from './syntax.ts'
import type { ParameterSymbol, Template } from './template.ts'

const code = (text: string): string => `\`${text}\``

const isPlain = (node: Node): boolean =>
  node.type === 'string' && partsOf(node).every(({ type }) => type !== 'interpolation')

/** A value as a user would type it: text without its quotes, other values as written. */
function shownValue(node: Node): string {
  if (!isPlain(node)) return code(node.text)
  const text = plainText(node)
  return text === '' ? 'empty' : code(text)
}

const descriptionOf = (rules: ReadonlyMap<string, Node>): string => {
  const description = rules.get('description')
  return description === undefined ? '' : plainText(description)
}

function valuesOf({ written, rules }: ParameterSymbol): string {
  const allowed = rules.get('allowed')
  if (allowed !== undefined) return partsOf(allowed).map(shownValue).join(', ')
  const bound = (least: string, most: string, unit: string): string => {
    const [low, high] = [rules.get(least)?.text, rules.get(most)?.text]
    if (low === undefined && high === undefined) return ''
    if (low === high) return `, ${low}${unit}`
    return high === undefined ? `, from ${low}${unit}` : `, ${low ?? 0} to ${high}${unit}`
  }
  return `${code(written)}${bound('minValue', 'maxValue', '')}${bound('minLength', 'maxLength', ' characters')}`
}

const row = (cells: string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`

const table = (head: string[], rows: string[][]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

/** The parameters and outputs of a template as a page of documentation. */
export function parameterPage(template: Template): string {
  const parameters = [...template.symbols].flatMap(([name, symbol]) =>
    symbol.kind === 'parameter'
      ? [
          [
            code(name),
            valuesOf(symbol),
            symbol.otherwise === undefined ? 'required' : shownValue(symbol.otherwise),
            descriptionOf(symbol.rules),
          ],
        ]
      : [],
  )
  const outputs = [...template.symbols].flatMap(([name, symbol]) =>
    symbol.kind === 'output' ? [[code(name.replace('output ', '')), descriptionOf(symbol.rules)]] : [],
  )
  return `# Parameters of the template

The parameters and outputs of \`infra/main.bicep\`. \`npm run docs\` writes this page from the template.

${table(['Parameter', 'Values', 'Default', 'Meaning'], parameters)}

## Outputs

After \`azd provision\`, the environment of azd has the outputs: \`azd env get-value APP_URL\`.

${table(['Output', 'Meaning'], outputs)}
`
}
