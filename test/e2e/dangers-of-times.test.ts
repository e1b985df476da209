import { suite } from 'uvu';
import { survive } from '../support/danger.ts';
import { dangersOfTimes } from '../support/dangers-of-times.ts';

const test = suite('dangers of times');
for (const danger of dangersOfTimes) test(`${danger.name}: ${danger.does}`, () => survive(danger));

test.run();
