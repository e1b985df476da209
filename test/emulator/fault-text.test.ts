import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseFault } from '../../src/emulator/faults.ts';

for (const [text, fault] of [
  ['cut=0.05', { kind: 'cut', share: 0.05, applied: false }],
  ['cut:applied=1', { kind: 'cut', share: 1, applied: true }],
  ['half=0', { kind: 'half', share: 0, applied: false }],
  ['invalid:applied=0.02', { kind: 'invalid', share: 0.02, applied: true }],
  ['hang=0.01', { kind: 'hang', share: 0.01, applied: false }],
  ['APIG.9999:applied=0.1', { status: 500, errorCode: 'APIG.9999', errorMsg: 'System error', share: 0.1, applied: true }],
] as const) {
  test(`reads ${text}`, () => {
    assert.equal(parseFault(text), fault);
  });
}

for (const [code, status] of [
  ['APIG.2011', 400],
  ['APIG.3309', 400],
  ['APIG.1002', 401],
  ['APIGW.0301', 401],
  ['APIG.1005', 403],
  ['APIG.1010', 401],
  ['APIG.1011', 401],
  ['APIG.1013', 401],
  ['APIGW.0303', 401],
  ['APIG.3102', 403],
  ['APIG.3002', 404],
  ['APIG.3030', 404],
  ['APIC.7302', 404],
  ['APIG.0101', 404],
  ['APIC.7701', 409],
  ['APIG.3718', 409],
  ['APIG.0308', 429],
  ['APIGW.0308', 429],
  ['APIG.9008', 500],
  ['APIG.3500', 500],
] as const) {
  test(`${code} has the status ${status}`, () => {
    const fault = parseFault(`${code}=0.5`);
    assert.is('status' in fault && fault.status, status);
  });
}

const form = 'expected a kind and a share, such as cut=0.05 or APIG.9999:applied=0.1';
for (const [text, message] of [
  ['', form],
  ['cut', form],
  ['cut=', form],
  ['=0.5', form],
  ['cut:aplied=0.5', form],
  ['cut=1.5', '1.5 is no share: expected a number from 0 to 1'],
  ['cut=-1', '-1 is no share: expected a number from 0 to 1'],
  ['cut=5%', '5% is no share: expected a number from 0 to 1'],
  ['cutt=0.5', 'cutt is neither cut, half, invalid, hang nor a known error code such as APIG.9999'],
  ['APIG.5555=0.5', 'APIG.5555 is neither cut, half, invalid, hang nor a known error code such as APIG.9999'],
  ['IAM.9999=0.5', 'IAM.9999 is neither cut, half, invalid, hang nor a known error code such as APIG.9999'],
] as const) {
  test(`rejects "${text}": ${message}`, () => {
    assert.throws(
      () => parseFault(text),
      (error: Error) => error instanceof TypeError && error.message === message,
    );
  });
}

test.run();
