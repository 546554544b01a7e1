// SPDX-License-Identifier: ISC
// Encrypts standard input with Bouncy Castle: Encrypt KEYFILE MODE, armored output. MODE: mdc, buffered,
// wildcard, password, old, aead.
import java.io.*;
import java.security.SecureRandom;
import java.util.Iterator;
import org.bouncycastle.bcpg.ArmoredOutputStream;
import org.bouncycastle.bcpg.SymmetricKeyAlgorithmTags;
import org.bouncycastle.openpgp.*;
import org.bouncycastle.openpgp.operator.bc.*;

public class Encrypt {
	public static void main(String[] args) throws Exception {
		byte[] text = System.in.readAllBytes();
		String mode = args[1];
		ByteArrayOutputStream plain = new ByteArrayOutputStream();
		OutputStream literal = new PGPLiteralDataGenerator().open(plain, 't', "", text.length, new java.util.Date(0));
		literal.write(text);
		literal.close();
		BcPGPDataEncryptorBuilder builder = new BcPGPDataEncryptorBuilder(SymmetricKeyAlgorithmTags.AES_256);
		builder.setSecureRandom(new SecureRandom());
		builder.setWithIntegrityPacket(!mode.equals("old"));
		PGPEncryptedDataGenerator generator = new PGPEncryptedDataGenerator(builder, false);
		if (mode.equals("password")) {
			generator.addMethod(new BcPBEKeyEncryptionMethodGenerator("secret".toCharArray()));
		} else {
			PGPPublicKeyRingCollection rings = new PGPPublicKeyRingCollection(
				PGPUtil.getDecoderStream(new FileInputStream(args[0])), new BcKeyFingerprintCalculator());
			for (Iterator<PGPPublicKeyRing> r = rings.getKeyRings(); r.hasNext();) {
				PGPPublicKey last = null;
				for (Iterator<PGPPublicKey> k = r.next().getPublicKeys(); k.hasNext();) {
					PGPPublicKey key = k.next();
					if (key.isEncryptionKey()) last = key;
				}
				BcPublicKeyKeyEncryptionMethodGenerator method = new BcPublicKeyKeyEncryptionMethodGenerator(last);
				generator.addMethod(method);
			}
		}
		ArmoredOutputStream armor = new ArmoredOutputStream(System.out);
		OutputStream out = mode.equals("buffered")
			? generator.open(armor, new byte[512]) : generator.open(armor, plain.size());
		out.write(plain.toByteArray());
		out.close();
		armor.close();
	}
}
