/** Maximum length of a remark at the gateway: `PublicationRequest.remark` in the specification. */
const maxRemarkLength = 255;

/**
 * Returns the remark of a call: the user's text followed by the attempt's marker, which identifies the resulting version in
 * the gateway's list. Limited to 255 characters: a longer text is cut at its end, the marker never is.
 */
export function addMarker(text: string | null, marker: string): string {
  const suffix = formatMarker(marker);
  if (!text) return suffix;
  const characters = [...text];
  const maxTextLength = maxRemarkLength - suffix.length - 1;
  const shownText = characters.length <= maxTextLength ? text : `${characters.slice(0, maxTextLength - 1).join('')}…`;
  return `${shownText} ${suffix}`;
}

/** Returns whether a version's remark carries `marker`. */
export function hasMarker(remark: string, marker: string): boolean {
  return remark.includes(formatMarker(marker));
}

function formatMarker(marker: string): string {
  return `[edict ${marker}]`;
}
