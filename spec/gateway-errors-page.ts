import { type ErrorRule, errorRules, findErrorRule, type RequestKind } from '../src/gateway/error-rules.ts';

/** A code of the vendor's tables. */
interface ListedCode {
  /** The code; one of the front gateway in each of its forms. */
  readonly codes: readonly string[];
  readonly statuses: readonly number[];
  readonly meaning: string;
}

/** spec/gateway-error-codes.yaml. */
export interface ErrorCodeTables {
  readonly service: Readonly<Record<string, Omit<ListedCode, 'codes'>>>;
  readonly frontGateway: Readonly<Record<string, Omit<ListedCode, 'codes'>>>;
}

const kinds: readonly RequestKind[] = ['online', 'offline', 'read'];

const introduction = `# Gateway errors

<!-- Made by \`npm run generate\` from src/gateway/error-rules.ts and spec/gateway-error-codes.yaml. Do not edit. -->

Every error code of the vendor's public tables, what edict does with it, and what to do next. The code decides first and the status
second, since the tables and the examples disagree on some statuses.

| reaction | what edict does | why |
|---|---|---|
| alreadyApplied | records the change as made | the requested state is in effect |
| retry | sends the request again later, after one second up to five minutes | the request took no effect |
| throttle | waits as long as the response asks for, or lowers its rate, and sends the request again | the request took no effect |
| reauthenticate | renews the credentials once, if it can; then makes no call until they change | five refused calls in a row lock a key |
| rejected | does not send the change again until the file changes, or SIGHUP | the request took no effect, and would be refused again |
| misconfigured | the same | the address is wrong, so nothing is known about the API |
| unknown | reads what is published before it sends anything again | the change may have taken effect |
`;

/** Returns the reference page of all errors: a section for each rule, with the codes to which it applies. */
export function gatewayErrorsPage(tables: ErrorCodeTables): string {
  const listed = [
    ...Object.entries(tables.service).map(([code, rest]) => ({ codes: [code], ...rest })),
    ...Object.entries(tables.frontGateway).map(([number, rest]) => ({
      codes: ['APIGW', 'APIG', 'APIC'].map((prefix) => `${prefix}.${number}`),
      ...rest,
    })),
  ];
  const byCode = errorRules.filter(({ codes, statuses }) => codes.length > 0 && statuses.length > 0);
  const ofEdict = errorRules.filter(({ statuses }) => statuses.length === 0);
  const byStatus = errorRules.filter(({ codes }) => codes.length === 0);
  return [
    introduction,
    '## By code\n',
    ...byCode.map((rule) => section(rule, rowsOf(rule, listed))),
    '## By status\n',
    'The codes here have no rule of their own; neither has any code that is in no table of the vendor.\n',
    ...byStatus.map((rule) => section(rule, rowsOf(rule, listed))),
    '## Without a response of the service\n',
    'Codes without a dot are of edict.\n',
    ...ofEdict.map((rule) => section(rule, [])),
  ].join('\n');
}

function section(rule: ErrorRule, rows: readonly string[]): string {
  const { codes, statuses, meaning, errorClass, onlyFor, hint } = rule;
  const subject = codes.length === 0 ? `Any other ${statuses.join(', ')}: ${meaning}` : capitalized(meaning);
  const head = [`### ${subject}\n`, `- Reaction: **${errorClass}**${onlyFor === null ? '' : `, for ${onlyFor} only`}.`];
  if (statuses.length === 0) head.push(`- Codes: ${codes.join(', ')}.`);
  head.push(hint === null ? '- Next step: none.\n' : `- Next step: ${hint}.\n`);
  if (rows.length === 0) return head.join('\n');
  return `${head.join('\n')}\n| code | status | means |\n|---|---|---|\n${rows.join('\n')}\n`;
}

/** Returns the rows of the listed codes to which `rule` applies, with the statuses for which it does. */
function rowsOf(rule: ErrorRule, listed: readonly ListedCode[]): readonly string[] {
  return listed.flatMap(({ codes, statuses, meaning }) => {
    const isByCode = codes.some((code) => kinds.some((kind) => findErrorRule(code, null, kind) === rule));
    const own = statuses.filter((status) => codes.some((code) => kinds.some((kind) => findErrorRule(code, status, kind) === rule)));
    return isByCode || own.length > 0 ? [`| ${codes.join(', ')} | ${own.join(', ') || 'not given'} | ${meaning} |`] : [];
  });
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
