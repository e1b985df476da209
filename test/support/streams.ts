import { PassThrough } from 'node:stream';

/** Returns a stream that is not a terminal, and the text written to it. */
export function textStream(): { readonly stream: NodeJS.WriteStream; text(): string } {
  const through = new PassThrough();
  let text = '';
  through.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  return { stream: through as unknown as NodeJS.WriteStream, text: () => text };
}

/** Returns the context of a command, without input, and its output. */
export function testContext(env: Readonly<Record<string, string>> = {}) {
  const [stdout, stderr] = [textStream(), textStream()];
  const stdin = new PassThrough() as unknown as NodeJS.ReadStream;
  return { context: { env, stdin, stdout: stdout.stream, stderr: stderr.stream }, stdout: stdout.text, stderr: stderr.text };
}
