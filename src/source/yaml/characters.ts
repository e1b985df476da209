/** Names of characters that look like others or like nothing, with what was probably meant; `null`: the character is deleted. */
const confusing: ReadonlyMap<string, readonly [name: string, meant: string | null]> = new Map([
  ['\u0000', ['NUL', null]],
  ['\t', ['tab', ' ']],
  ['\n', ['line break', null]],
  ['\r', ['carriage return', null]],
  ['\u001B', ['escape', null]],
  ['\u0085', ['next line', null]],
  ['\u00A0', ['no-break space', ' ']],
  ['\u00AD', ['soft hyphen', null]],
  ['\u034F', ['combining grapheme joiner', null]],
  ['\u061C', ['Arabic letter mark', null]],
  ['\u115F', ['Hangul filler', null]],
  ['\u1680', ['Ogham space mark', ' ']],
  ['\u180E', ['Mongolian vowel separator', null]],
  ['\u200B', ['zero width space', null]],
  ['\u200C', ['zero width non-joiner', null]],
  ['\u200D', ['zero width joiner', null]],
  ['\u200E', ['left-to-right mark', null]],
  ['\u200F', ['right-to-left mark', null]],
  ['\u2028', ['line separator', null]],
  ['\u2029', ['paragraph separator', null]],
  ['\u202F', ['narrow no-break space', ' ']],
  ['\u205F', ['medium mathematical space', ' ']],
  ['\u2060', ['word joiner', null]],
  ['\u3000', ['ideographic space', ' ']],
  ['\u3164', ['Hangul filler', null]],
  ['\uFEFF', ['byte order mark', null]],
  ['\uFFFD', ['replacement character', null]],
  ['\u2010', ['hyphen', '-']],
  ['\u2011', ['non-breaking hyphen', '-']],
  ['\u2012', ['figure dash', '-']],
  ['\u2013', ['en dash', '-']],
  ['\u2014', ['em dash', '-']],
  ['\u2212', ['minus sign', '-']],
  ['\u2018', ['left single quotation mark', "'"]],
  ['\u2019', ['right single quotation mark', "'"]],
  ['\u201C', ['left double quotation mark', '"']],
  ['\u201D', ['right double quotation mark', '"']],
  ['\u201E', ['double low quotation mark', '"']],
  ['\u2022', ['bullet', '-']],
]);

/** Cyrillic and Greek letters that look like Latin ones. */
const lookalikes = new Map(
  [...'аaеeоoрpсcуyхxіiјjѕsԁdһhԛqԝwАAВBЕEКKМMНHОOРPСCТTХXοoνvαaΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧX'].flatMap((char, index, all) =>
    index % 2 === 0 ? [[char, all[index + 1] ?? ''] as const] : [],
  ),
);

/** Returns whether a character shows nothing, or a space that YAML does not count as one. */
export function isInvisible(char: string): boolean {
  const meant = confusing.get(char)?.[1];
  return meant === null || (meant === ' ' && char !== '\t') || /^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]$/u.test(char);
}

/** Returns what a character was probably meant to be; `null` if it should be deleted, and itself if it is not confusing. */
export function meantCharacter(char: string): string | null {
  const known = confusing.get(char);
  if (known) return known[1];
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCodePoint(code - 0xfee0);
  return lookalikes.get(char) ?? (isInvisible(char) ? null : char);
}

/** Returns a text as it was probably meant: without invisible characters, and with ASCII ones for those that look like them. */
export function meantText(text: string): string {
  return [...text.normalize('NFC')]
    .map((char) => meantCharacter(char) ?? '')
    .join('')
    .trim();
}

/** Describes a character so that it can be found: `` `：` (U+FF1A, full-width `:`) `` or `U+200B (zero width space)`. */
export function describeCharacter(char: string): string {
  const codePoint = `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  const known = confusing.get(char);
  if (known && (known[1] === null || known[1] === ' ')) return `${codePoint} (${known[0]})`;
  if (/^\p{M}$/u.test(char)) return `${codePoint} (combining character)`;
  if (isInvisible(char)) return `${codePoint} (${/^\p{Cc}$/u.test(char) ? 'control' : 'invisible'} character)`;
  const meant = meantCharacter(char);
  const name = known
    ? known[0]
    : meant === char
      ? null
      : lookalikes.has(char)
        ? `not the Latin letter \`${meant}\``
        : `full-width \`${meant}\``;
  if (char > ' ' && char <= '~') return `\`${char}\``;
  return `\`${char}\` (${codePoint}${name === null ? '' : `, ${name}`})`;
}
