import { suite } from 'uvu';
import { dangersOfPlans } from '../support/dangers-of-plans.ts';
import { checkDanger } from '../support/scenario.ts';

const test = suite('dangers of plans');
for (const danger of dangersOfPlans) test(`${danger.name}: ${danger.does}`, () => checkDanger(danger));

test.run();
