import { suite } from 'uvu';
import { survive } from '../support/danger.ts';
import { dangersInFiles } from '../support/dangers-in-files.ts';

const test = suite('dangers in files');
for (const danger of dangersInFiles) test(`${danger.name}: ${danger.does}`, () => survive(danger));

test.run();
