import { suite } from 'uvu';
import { dangersOfTimes } from '../support/dangers-of-times.ts';
import { checkDanger } from '../support/scenario.ts';

const test = suite('dangers of times');
for (const danger of dangersOfTimes) test(`${danger.name}: ${danger.does}`, () => checkDanger(danger));

test.run();
