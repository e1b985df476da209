import { suite } from 'uvu';
import { survive } from '../support/danger.ts';
import { dangersOfPlans } from '../support/dangers-of-plans.ts';

const test = suite('dangers of plans');
for (const danger of dangersOfPlans) test(`${danger.name}: ${danger.does}`, () => survive(danger));

test.run();
