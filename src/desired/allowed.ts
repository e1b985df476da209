import { validateFile } from '../../generated/edict-file-validator.cjs';

/** A file that says the least. */
const minimalFile = {
  edict: 1,
  gateway: { endpoint: 'https://host', project: 'p', instance: 'i' },
  environments: { e: 'e' },
  apis: {},
};

/** Returns whether the file may use `text` as the name of an API or an environment. */
export function isValidName(text: string): boolean {
  return validateFile({ ...minimalFile, apis: { [text]: { id: 'a', environments: {} } } });
}

/** Returns whether the file may use `text` as an ID. */
export function isValidId(text: string): boolean {
  return validateFile({ ...minimalFile, environments: { e: text } });
}
