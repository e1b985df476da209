import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseProxySettings, withProjectId } from '../../src/model/env.ts';
import type { EdictError } from '../../src/model/errors.ts';

test("the project has its own name, or else that of the vendor's SDKs", () => {
  for (const [env, id] of [
    [{ HW_PROJECT_ID: 'own', HUAWEICLOUD_SDK_PROJECT_ID: 'sdk' }, 'own'],
    [{ HW_PROJECT_ID: '', HUAWEICLOUD_SDK_PROJECT_ID: 'sdk' }, 'sdk'],
    [{ HUAWEICLOUD_SDK_PROJECT_ID: 'sdk' }, 'sdk'],
    [{}, undefined],
  ] as const) {
    assert.is(withProjectId(env)['HW_PROJECT_ID'], id);
  }
});

test('without proxy settings nothing uses a proxy', () => {
  for (const environment of [{}, { NO_PROXY: 'a' }, { HTTP_PROXY: '', https_proxy: ' ' }]) assert.is(parseProxySettings(environment), null);
});

test('lower-case variables take precedence, and this machine is reached without a proxy', () => {
  const environment = { HTTPS_PROXY: 'http://upper:1', https_proxy: 'lower:1', NO_PROXY: 'inside.example.com' };
  assert.equal(parseProxySettings(environment), {
    httpProxy: '',
    httpsProxy: 'http://lower:1',
    noProxy: 'inside.example.com,localhost,127.0.0.1,::1',
  });
});

test('an invalid URL is rejected without being shown, since it may hold a password', () => {
  for (const address of ['http://', 'name:s3cret@proxy:port', 'ftp://name:s3cret@proxy']) {
    try {
      parseProxySettings({ HTTPS_PROXY: address });
      assert.unreachable();
    } catch (error) {
      const { code, message, hint } = error as EdictError;
      assert.equal([code, message], ['PROXY_INVALID', 'HTTPS_PROXY is not the address of a proxy']);
      assert.not.match(`${message}${hint}`, 's3cret');
    }
  }
});

test.run();
