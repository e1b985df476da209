import type { DesiredState } from '../model/desired-state.ts';

// How the source folder meets the controller.

/** The source of the desired state. */
export interface DesiredSource {
  /**
   * Reads the whole file. Throws an InvalidFileError if it is not valid, an EdictError `FILE_NOT_FOUND` if it does not exist. `signal`
   * ends requests to the gateway that resolve names; the result of an abandoned load is of no use.
   */
  load(signal: AbortSignal): Promise<DesiredState>;
  /** Calls `hint` whenever the file may have changed. Calls may be late, duplicate or spurious, and never carry data. */
  watch(hint: () => void): Promise<{ close(): Promise<void> }>;
}
