// SPDX-License-Identifier: ISC
// As encrypt.js, with OpenPGP.js 4, whose interface is another.
const fs = require('fs');
const [modules, mode, ...files] = process.argv.slice(2);
const openpgp = require(modules + '/node_modules/openpgp');

(async () => {
  const text = fs.readFileSync(0, 'utf8');
  const keys = [];
  for (const f of files) keys.push(...(await openpgp.key.readArmored(fs.readFileSync(f, 'utf8'))).keys);
  const isPassword = mode.startsWith('password');
  if (mode.includes('aead')) {
    openpgp.config.aead_protect = true;
    openpgp.config.aead_mode = mode === 'aead-eax' ? openpgp.enums.aead.eax : openpgp.enums.aead.ocb;
    const own = await openpgp.generateKey({ userIds: [{ email: 'bob@receiver.example' }] });
    keys.splice(0, keys.length, own.key.toPublic());
  }
  const out = await openpgp.encrypt({
    message: openpgp.message.fromText(text),
    publicKeys: isPassword ? undefined : keys,
    passwords: isPassword ? ['secret'] : undefined,
    wildcard: mode === 'hidden',
    compression: mode === 'compress' ? openpgp.enums.compression.zlib : undefined,
    armor: mode !== 'binary'
  });
  process.stdout.write(mode === 'binary' ? Buffer.from(out.message.packets.write()) : out.data);
})().catch(e => { console.error(e); process.exit(1); });
