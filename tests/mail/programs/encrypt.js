// SPDX-License-Identifier: ISC
// Encrypts standard input with OpenPGP.js: node encrypt.js MODULES MODE KEYFILE..., armored output.
// MODE: plain, aead, aead-eax, hidden, password, compress, binary. MODULES: where openpgp is installed.
const fs = require('fs');
const [modules, mode, ...files] = process.argv.slice(2);
const openpgp = require(modules + '/node_modules/openpgp');

(async () => {
  const text = fs.readFileSync(0, 'utf8');
  const keys = await Promise.all(files.map(f => openpgp.readKey({ armoredKey: fs.readFileSync(f, 'utf8') })));
  const config = {};
  if (mode.startsWith('aead')) {
    config.aeadProtect = true;
    config.preferredAEADAlgorithm = mode === 'aead-eax' ? 1 : 2;
    if (config.ignoreSEIPDv2FeatureFlag === undefined) config.ignoreSEIPDv2FeatureFlag = false;
    if (!openpgp.config.ignoreSEIPDv2FeatureFlag) delete config.ignoreSEIPDv2FeatureFlag;
  }
  if (mode === 'comment') { config.showComment = true; config.showVersion = true; }
  if (mode === 'compress') config.preferredCompressionAlgorithm = openpgp.enums.compression.zlib;
  const message = await openpgp.createMessage({ text });
  const out = await openpgp.encrypt({
    message,
    encryptionKeys: mode === 'password' ? undefined : keys,
    passwords: mode === 'password' ? ['secret'] : undefined,
    wildcard: mode === 'hidden',
    format: mode === 'binary' ? 'binary' : 'armored',
    config
  });
  process.stdout.write(out);
})().catch(e => { console.error(e); process.exit(1); });
