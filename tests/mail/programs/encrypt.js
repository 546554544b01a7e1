// SPDX-License-Identifier: ISC
// Encrypts standard input with OpenPGP.js: node encrypt.js MODULES MODE KEYFILE..., armored output.
// MODE: plain, aead, aead-eax, hidden, password, password-aead, compress, comment, binary; the aead modes make a
// key of their own that asks for it (version 6 where it can be). MODULES: where openpgp is installed.
const fs = require('fs');
const [modules, mode, ...files] = process.argv.slice(2);
const openpgp = require(modules + '/node_modules/openpgp');

(async () => {
  const text = fs.readFileSync(0, 'utf8');
  const keys = await Promise.all(files.map(f => openpgp.readKey({ armoredKey: fs.readFileSync(f, 'utf8') })));
  const config = {};
  const isAead = mode.includes('aead');
  const isPassword = mode.startsWith('password');
  if (isAead) {
    config.aeadProtect = true;
    config.preferredAEADAlgorithm = mode === 'aead-eax' ? 1 : 2;
    if ('v6Keys' in openpgp.config) config.v6Keys = true;
    if ('ignoreSEIPDv2FeatureFlag' in openpgp.config) config.ignoreSEIPDv2FeatureFlag = false;
  }
  if (isAead && !isPassword) {
    const own = await openpgp.generateKey({ userIDs: [{ email: 'bob@receiver.example' }], format: 'object', config });
    keys.splice(0, keys.length, own.publicKey);
  }
  if (mode === 'comment') { config.showComment = true; config.showVersion = true; }
  if (mode === 'compress') config.preferredCompressionAlgorithm = openpgp.enums.compression.zlib;
  const message = await openpgp.createMessage({ text });
  const out = await openpgp.encrypt({
    message,
    encryptionKeys: isPassword ? undefined : keys,
    passwords: isPassword ? ['secret'] : undefined,
    wildcard: mode === 'hidden',
    format: mode === 'binary' ? 'binary' : 'armored',
    config
  });
  process.stdout.write(out);
})().catch(e => { console.error(e); process.exit(1); });
