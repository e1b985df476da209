/** Maximum length of a remark at the gateway: `PublicationRequest.remark` in the specification. */
const maxRemarkLength = 255;

/**
 * Returns the remark of a call: the user's text followed by the attempt's marker, which identifies the resulting version in
 * the gateway's list. Limited to 255 UTF-16 units, and so to 255 characters in whatever way the gateway counts them: a longer text is cut at
 * its end between two characters, the marker never is.
 */
export function addMarker(text: string | null, marker: string): string {
  const suffix = formatMarker(marker);
  return text ? `${fitRemark(text, maxRemarkLength - suffix.length - 1)} ${suffix}` : suffix;
}

/** Returns the remark of a call without a marker, limited in the same way. */
export function fitRemark(text: string, maxLength: number = maxRemarkLength): string {
  if (text.length <= maxLength) return text;
  let shown = '';
  for (const character of text) {
    if (shown.length + character.length > maxLength - 1) break;
    shown += character;
  }
  return `${shown}…`;
}

/** Returns whether a version's remark carries `marker`. */
export function hasMarker(remark: string, marker: string): boolean {
  return remark.includes(formatMarker(marker));
}

function formatMarker(marker: string): string {
  return `[edict ${marker}]`;
}
