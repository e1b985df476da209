import type { NameRef } from '../../model/name-ref.ts';
import { apiNameRef } from '../checks/semantics.ts';
import type { SourceText } from '../include-reader.ts';
import { parseYaml } from '../yaml/tree.ts';
import { isMap, toPlainValue } from '../yaml/value.ts';

/** An API of the file or of an included file, with or without publications. */
export interface DeclaredApi {
  /** Its key in the file. */
  readonly key: string;
  /** Its ID, or the name by which it is looked up. */
  readonly identity: { readonly id: string } | { readonly nameRef: NameRef };
  /** The revision of all its publications that have no other one; `null` if there is none. */
  readonly revision: string | null;
  /** The path of its file relative to the main file's folder; empty for the main file. */
  readonly relativePath: string;
}

/** Returns the APIs of valid files, in their order. */
export function listDeclaredApis(sources: readonly SourceText[]): readonly DeclaredApi[] {
  return sources.flatMap(({ text, relativePath }) => {
    const value = toPlainValue(parseYaml(text).root);
    const apis = isMap(value) && isMap(value['apis']) ? value['apis'] : {};
    return Object.entries(apis).map(([key, setting]) => {
      const { id, revision } = isMap(setting) ? setting : {};
      return {
        key,
        identity: typeof id === 'string' ? { id } : { nameRef: apiNameRef(key, setting) },
        revision: typeof revision === 'string' ? revision : null,
        relativePath,
      };
    });
  });
}
