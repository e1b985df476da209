import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { DesiredState } from '../../../src/model/desired-state.ts';
import { publicationKey } from '../../../src/model/publication.ts';
import { createPatch, type PublicationEdit } from '../../../src/source/export/patch.ts';
import { parseDesiredState } from '../../../src/source/parser.ts';
import { edictTexts } from '../../support/edict-texts.ts';
import { fc, runs } from '../../support/fast-check.ts';
import { gitApplied } from '../../support/git-apply.ts';

const stage = { key: 'stage', id: 'env-stage', name: 'STAGE', isListed: true };
const environmentIds = { stage: 'env-stage', release: 'DEFAULT_ENVIRONMENT_RELEASE_ID', test: '7a1c0e4f5b6d4c3f9a8b7c6d5e4f3a2b' };

const read = (text: string): DesiredState => parseDesiredState({ text, file: 'edict.yaml', variables: {} });

/** The declared publications with what a patch must not change. */
function contentOf({ publications }: DesiredState): Map<string, string> {
  return new Map(
    [...publications.values()].map(({ api, environment, apiId, environmentId, state, revision, version, remark }) => [
      `${api} ${environment}`,
      JSON.stringify({ apiId, environmentId, state, revision, version, remark }),
    ]),
  );
}

/** Texts that are valid, some of them without a final line end, or with a byte order mark. */
const validTexts = fc
  .tuple(edictTexts, fc.constantFrom('', '', '', 'unended', 'bom', 'document'))
  .filter(([text]) => {
    try {
      return read(text).publications.size >= 0;
    } catch {
      return false;
    }
  })
  .map(([text, form]) => {
    if (form === 'unended') return text.replace(/(?:\r?\n)+$/, '');
    if (form === 'bom') return `\uFEFF${text}`;
    if (form === 'document') return `---\n${text}`;
    return text;
  });

const wishes = fc.uniqueArray(
  fc.record({
    api: fc.constantFrom('api0', 'api1', 'api2', 'api5', 'new', 'added', 'yes'),
    environment: fc.constantFrom<(keyof typeof environmentIds)[]>('stage', 'stage', 'release', 'test'),
    version: fc.constantFrom(null, null, 'v1', '1e3'),
  }),
  { minLength: 1, maxLength: 8, selector: ({ api, environment }) => `${api} ${environment}` },
);

test('git apply adds what is missing to texts of every style, and changes nothing else', () => {
  let [patched, manual] = [0, 0];
  fc.assert(
    fc.property(validTexts, wishes, (text, wanted) => {
      const desired = read(text);
      const idOf = new Map([...desired.publications.values()].map(({ api, apiId }) => [api, apiId]));
      const edits = wanted.flatMap(({ api, environment, version }): PublicationEdit[] => {
        const [apiId, environmentId] = [idOf.get(api) ?? `id-${api}`, environmentIds[environment]];
        const key = publicationKey(apiId, environmentId);
        return desired.publications.has(key) ? [] : [{ key, api, apiId, environment, environmentId, state: 'online', version }];
      });
      const toParseInput = (other: string) => ({ text: other, file: 'edict.yaml', variables: {} });
      const input = { text, file: 'edict.yaml', toParseInput, desired, newEnvironments: [stage] };
      const patch = createPatch(input, edits);
      const after = gitApplied(text, patch.diff, 'edict.yaml');
      assert.is(after, patch.text);

      const done = edits.filter((edit) => !patch.manualEdits.includes(edit));
      const expected = contentOf(desired);
      const now = contentOf(read(after));
      for (const [name, content] of expected) assert.is(now.get(name), content);
      assert.equal([...now.keys()].sort(), [...expected.keys(), ...done.map(({ api, environment }) => `${api} ${environment}`)].sort());
      assert.is(read(after).environments.get('env-stage')?.name, 'stage');

      const comments = (of: string) => of.match(/# (?:a note|a comment at the level of the keys|a comment at the very left|the end)/g);
      assert.equal(comments(after), comments(text));
      assert.is(after.endsWith('\n'), text.endsWith('\n'));
      assert.is(/[^\r]\n/.test(after), /[^\r]\n/.test(text));
      patched += done.length;
      manual += patch.manualEdits.length;
    }),
    { numRuns: runs(600) },
  );
  assert.ok(manual < patched / 100, `${manual} of ${patched + manual} edits were left to a person`);
});

test.run();
