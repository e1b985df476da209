import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EdictError } from '../../src/model/errors.ts';
import { parseProxySettings } from '../../src/model/proxy-settings.ts';

test('without a proxy there is none, whatever is to be asked without one', () => {
  for (const environment of [{}, { NO_PROXY: 'a' }, { HTTP_PROXY: '', https_proxy: ' ' }]) assert.is(parseProxySettings(environment), null);
});

test('what is in lower case counts first, and this machine is asked without a proxy', () => {
  const environment = { HTTPS_PROXY: 'http://upper:1', https_proxy: 'lower:1', NO_PROXY: 'inside.example.com' };
  assert.equal(parseProxySettings(environment), {
    httpProxy: '',
    httpsProxy: 'http://lower:1',
    noProxy: 'inside.example.com,localhost,127.0.0.1,::1',
  });
});

test('what is no address is refused without a word of it: it may hold a password', () => {
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
