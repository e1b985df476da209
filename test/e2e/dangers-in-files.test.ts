import { suite } from 'uvu';
import { dangersInFiles } from '../support/dangers-in-files.ts';
import { checkDanger } from '../support/scenario.ts';

const test = suite('dangers in files');
for (const danger of dangersInFiles) test(`${danger.name}: ${danger.does}`, () => checkDanger(danger));

test.run();
