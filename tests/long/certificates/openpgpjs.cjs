// SPDX-License-Identifier: ISC
//
// Certificates by OpenPGP.js 5 and 6, and messages to them: node openpgpjs.cjs MODULES FOLDER, where MODULES has node_modules with both
// (package.json here). Writes NAME.cert, NAME.message and NAME.hidden, whose session key names nobody, with the address
// NAME@table.example.

const fs = require('fs');
const path = require('path');

const [modules, folder] = process.argv.slice(2);
const v6 = { v6Keys: true, aeadProtect: true };

const kinds = {
  openpgp5: {
    'js5-ecc': { type: 'ecc' },
    'js5-rsa': { type: 'rsa', rsaBits: 2048 },
    'js5-nist': { type: 'ecc', curve: 'p256' },
    'js5-brainpool': { type: 'ecc', curve: 'brainpoolP256r1' },
    'js5-two': { type: 'ecc', subkeys: [{}, {}] },
  },
  openpgp6: {
    'js6-ecc': { type: 'ecc' },
    'js6-rsa': { type: 'rsa', rsaBits: 2048 },
    'js6-nist': { type: 'ecc', curve: 'nistP384' },
    'js6-nist521': { type: 'ecc', curve: 'nistP521' },
    'js6-x25519': { type: 'curve25519' },
    'js6-x448': { type: 'curve448' },
    'js6-both-forms': { type: 'ecc', subkeys: [{}, { type: 'curve25519' }] },
    'js6-v6-x25519': { type: 'curve25519', config: v6 },
    'js6-v6-x448': { type: 'curve448', config: v6 },
    'js6-v6-rsa': { type: 'rsa', rsaBits: 2048, config: v6 },
  },
};

async function make(openpgp, name, options) {
  const userIDs = [{ email: `${name}@table.example` }];
  const date = new Date(Date.now() - 3600000);
  const config = { rejectCurves: new Set(), ...options.config };
  const { publicKey } = await openpgp.generateKey({ userIDs, date, format: 'armored', ...options, config });
  const encryptionKeys = await openpgp.readKey({ armoredKey: publicKey });
  const text = async () => openpgp.createMessage({ text: 'text' });
  fs.writeFileSync(path.join(folder, `${name}.cert`), publicKey);
  fs.writeFileSync(path.join(folder, `${name}.message`),
    await openpgp.encrypt({ message: await text(), encryptionKeys, config }));
  fs.writeFileSync(path.join(folder, `${name}.hidden`),
    await openpgp.encrypt({ message: await text(), encryptionKeys, wildcard: true, config }));
}

(async () => {
  for (const [module, list] of Object.entries(kinds)) {
    const openpgp = require(require.resolve(module, { paths: [modules] }));
    for (const [name, options] of Object.entries(list)) await make(openpgp, name, options);
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
