// SPDX-License-Identifier: ISC
// As encrypt.js, with OpenPGP.js 4, whose interface is another.
const fs = require('fs');
const [modules, mode, ...files] = process.argv.slice(2);
const openpgp = require(modules + '/node_modules/openpgp');

(async () => {
  const text = fs.readFileSync(0, 'utf8');
  const keys = [];
  for (const f of files) keys.push(...(await openpgp.key.readArmored(fs.readFileSync(f, 'utf8'))).keys);
  if (mode.startsWith('aead')) {
    openpgp.config.aead_protect = true;
    openpgp.config.aead_mode = mode === 'aead-eax' ? openpgp.enums.aead.eax : openpgp.enums.aead.ocb;
  }
  const out = await openpgp.encrypt({
    message: openpgp.message.fromText(text),
    publicKeys: mode === 'password' ? undefined : keys,
    passwords: mode === 'password' ? ['secret'] : undefined,
    wildcard: mode === 'hidden',
    compression: mode === 'compress' ? openpgp.enums.compression.zlib : undefined,
    armor: mode !== 'binary'
  });
  process.stdout.write(mode === 'binary' ? Buffer.from(out.message.packets.write()) : out.data);
})().catch(e => { console.error(e); process.exit(1); });
