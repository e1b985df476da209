/** The most characters that the gateway keeps of a remark: the specification's `PublicationRequest.remark`. */
const maxRemarkLength = 255;

/**
 * Returns the remark that a call carries: the person's own text and the marker of the attempt, by which the version that
 * the call made is known again in the gateway's list. At most 255 characters: a longer text loses its end, never the marker.
 */
export function addMarker(text: string | null, marker: string): string {
  const mark = formatMarker(marker);
  if (!text) return mark;
  const characters = [...text];
  const room = maxRemarkLength - mark.length - 1;
  const kept = characters.length <= room ? text : `${characters.slice(0, room - 1).join('')}…`;
  return `${kept} ${mark}`;
}

/** Returns whether a version's remark was made with `marker`. */
export function hasMarker(remark: string, marker: string): boolean {
  return remark.includes(formatMarker(marker));
}

function formatMarker(marker: string): string {
  return `[edict ${marker}]`;
}
