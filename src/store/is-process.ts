/** Returns whether a process of this machine has this ID. Signal 0 reaches nobody: it only tells whether there is anybody. */
export function isProcessAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
