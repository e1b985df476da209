import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EdictError } from '../../../src/model/errors.ts';
import { type GatewayArguments, parseGatewayArguments } from '../../../src/source/export/gateway-options.ts';
import { parseDesiredState } from '../../../src/source/parser.ts';

const asked: GatewayArguments = { endpoint: 'https://roma.example.com/', project: 'p', instance: 'i' };

test('has the same settings as a file with only the required keys', () => {
  const gateway = 'gateway: { endpoint: "https://roma.example.com/", project: p, instance: i }';
  const text = `edict: 1\n${gateway}\nenvironments: { e: e }\napis: {}\n`;
  assert.equal(parseGatewayArguments(asked), parseDesiredState({ text, file: 'edict.yaml', variables: {} }).gateway);
  assert.is(parseGatewayArguments({ ...asked, iam: 'https://iam.example.org' }).iamEndpoint, 'https://iam.example.org');
});

for (const [over, message] of [
  [{ endpoint: 'roma.example.com' }, '"roma.example.com" is not allowed for `--endpoint`: it has no `https://`'],
  [{ endpoint: 'https://user:secret@host' }, '"https://***@host" is not allowed for `--endpoint`: it has a user name or a password'],
  [{ endpoint: 'https://host:99999' }, '`--endpoint` is not a valid URL'],
  [{ iam: 'https://host/path' }, '"https://host/path" is not allowed for `--iam`'],
  [{ project: 'a b' }, '"a b" is not allowed for `--project`: it contains a space'],
  [{ instance: '' }, '"" is not allowed for `--instance`: it is empty'],
  [{ endpoint: 'https://$' + '{HOST}' }, '--endpoint "https://$' + '{HOST}" contains $' + '{…}, which is allowed only in a file'],
] as const) {
  test(`rejects ${JSON.stringify(over)}`, () => {
    try {
      parseGatewayArguments({ ...asked, ...over });
    } catch (error) {
      assert.instance(error, EdictError);
      assert.is((error as EdictError).code, 'OPTION_INVALID');
      assert.is((error as EdictError).message, message);
      return;
    }
    assert.unreachable();
  });
}

test.run();
