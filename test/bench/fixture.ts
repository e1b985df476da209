import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDesiredState } from '../../src/source/parser.ts';
import { type GeneratedFile, type GenerateOptions, generateFile } from './generated-file.ts';
import { recordAsApplied } from './recorded-store.ts';

/** An edict file on disk, the same content as JSON, and a store that is in sync with it. */
export interface Fixture extends GeneratedFile {
  readonly publications: number;
  readonly file: string;
  readonly jsonFile: string;
  /** The store URL. */
  readonly state: string;
}

/** Writes a fixture into `folder`. */
export async function writeFixture(folder: string, options: GenerateOptions): Promise<Fixture> {
  const { publications } = options;
  const generated = generateFile(options);
  const path = (ending: string): string => join(folder, `${publications}.${ending}`);
  const fixture = { ...generated, publications, file: path('yaml'), jsonFile: path('json'), state: `sqlite:${path('db')}` };
  writeFileSync(fixture.file, generated.text);
  writeFileSync(fixture.jsonFile, generated.json);
  await recordAsApplied(fixture.state, parseDesiredState({ text: generated.text, file: fixture.file, variables: {} }));
  return fixture;
}
