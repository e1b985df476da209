/** How much of plain data clients may hold that they have not read, in bytes, besides one that may be larger. */
const maxPlainBytes = 32 * 1024 * 1024;

/** Compressed data that clients share. */
interface Compressed {
  /** The number of bytes before compression. */
  readonly length: number;
}

interface PlainForm {
  readonly bytes: Promise<Buffer>;
  readers: number;
}

/** The plain form of something, for one client. */
interface Lent {
  readonly bytes: Promise<Buffer>;
  /** Must be called once, when the client has read it or is gone. */
  readonly giveBack: () => void;
}

/** The plain forms that clients are reading, of all servers of the process: its memory is what they may not use up. */
const plainForms = new Map<Compressed, PlainForm>();

/**
 * Lends the plain form of compressed data to a client that takes no gzip; all such clients share it. Returns `null` if clients that do not read hold
 * too many others, so that this one must get its own, piece by piece.
 */
export function lendPlain<T extends Compressed>(data: T, unpack: (data: T) => Promise<Buffer>): Lent | null {
  const others = [...plainForms.keys()].reduce((sum, other) => sum + (other === data ? 0 : other.length), 0);
  if (others > 0 && others + data.length > maxPlainBytes) return null;
  const form = plainForms.get(data) ?? { bytes: unpack(data), readers: 0 };
  plainForms.set(data, form);
  form.readers += 1;
  return {
    bytes: form.bytes,
    giveBack: () => {
      form.readers -= 1;
      if (form.readers === 0) plainForms.delete(data);
    },
  };
}
