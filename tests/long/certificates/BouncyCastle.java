/* SPDX-License-Identifier: ISC
 *
 * Certificates by Bouncy Castle, and messages to them: java -cp ... BouncyCastle.java FOLDER writes NAME.cert and NAME.message for
 * each kind, with the address NAME@table.example.
 */
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Security;
import java.security.spec.ECGenParameterSpec;
import java.util.Date;
import org.bouncycastle.bcpg.ArmoredOutputStream;
import org.bouncycastle.bcpg.HashAlgorithmTags;
import org.bouncycastle.bcpg.PublicKeyAlgorithmTags;
import org.bouncycastle.bcpg.SymmetricKeyAlgorithmTags;
import org.bouncycastle.bcpg.sig.KeyFlags;
import org.bouncycastle.crypto.generators.Ed25519KeyPairGenerator;
import org.bouncycastle.crypto.generators.X25519KeyPairGenerator;
import org.bouncycastle.crypto.params.Ed25519KeyGenerationParameters;
import org.bouncycastle.crypto.params.X25519KeyGenerationParameters;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.jce.spec.ElGamalParameterSpec;
import org.bouncycastle.openpgp.PGPEncryptedData;
import org.bouncycastle.openpgp.PGPEncryptedDataGenerator;
import org.bouncycastle.openpgp.PGPKeyPair;
import org.bouncycastle.openpgp.PGPKeyRingGenerator;
import org.bouncycastle.openpgp.PGPLiteralData;
import org.bouncycastle.openpgp.PGPLiteralDataGenerator;
import org.bouncycastle.openpgp.PGPPublicKey;
import org.bouncycastle.openpgp.PGPSignature;
import org.bouncycastle.openpgp.PGPSignatureSubpacketGenerator;
import org.bouncycastle.openpgp.operator.bc.BcPGPContentSignerBuilder;
import org.bouncycastle.openpgp.operator.bc.BcPGPDataEncryptorBuilder;
import org.bouncycastle.openpgp.operator.bc.BcPGPKeyPair;
import org.bouncycastle.openpgp.operator.bc.BcPublicKeyKeyEncryptionMethodGenerator;
import org.bouncycastle.openpgp.operator.jcajce.JcaPGPContentSignerBuilder;
import org.bouncycastle.openpgp.operator.jcajce.JcaPGPDigestCalculatorProviderBuilder;
import org.bouncycastle.openpgp.operator.jcajce.JcaPGPKeyPair;

public class BouncyCastle {
	static final Date NOW = new Date(System.currentTimeMillis() - 3600_000);
	/* RFC 3526 section 3: 2048 bits, generator 2. */
	static final BigInteger PRIME = new BigInteger("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD1"
		+ "29024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
		+ "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5"
		+ "AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
		+ "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C"
		+ "32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
		+ "3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF", 16);

	static PGPKeyPair rsa(int bits) throws Exception {
		KeyPairGenerator g = KeyPairGenerator.getInstance("RSA", "BC");
		g.initialize(bits);
		return new JcaPGPKeyPair(PublicKeyAlgorithmTags.RSA_GENERAL, g.generateKeyPair(), NOW);
	}

	static PGPKeyPair dsa() throws Exception {
		KeyPairGenerator g = KeyPairGenerator.getInstance("DSA", "BC");
		g.initialize(2048);
		return new JcaPGPKeyPair(PublicKeyAlgorithmTags.DSA, g.generateKeyPair(), NOW);
	}

	static PGPKeyPair elgamal() throws Exception {
		KeyPairGenerator g = KeyPairGenerator.getInstance("ELGAMAL", "BC");
		g.initialize(new ElGamalParameterSpec(PRIME, BigInteger.TWO));
		return new JcaPGPKeyPair(PublicKeyAlgorithmTags.ELGAMAL_ENCRYPT, g.generateKeyPair(), NOW);
	}

	static PGPKeyPair curve(String of, int algorithm, String name) throws Exception {
		KeyPairGenerator g = KeyPairGenerator.getInstance(of, "BC");
		g.initialize(new ECGenParameterSpec(name));
		KeyPair pair = g.generateKeyPair();
		return new JcaPGPKeyPair(algorithm, pair, NOW);
	}

	static PGPKeyPair ed25519() throws Exception {
		Ed25519KeyPairGenerator g = new Ed25519KeyPairGenerator();
		g.init(new Ed25519KeyGenerationParameters(new SecureRandom()));
		return new BcPGPKeyPair(PublicKeyAlgorithmTags.EDDSA, g.generateKeyPair(), NOW);
	}

	static PGPKeyPair x25519() throws Exception {
		X25519KeyPairGenerator g = new X25519KeyPairGenerator();
		g.init(new X25519KeyGenerationParameters(new SecureRandom()));
		return new BcPGPKeyPair(PublicKeyAlgorithmTags.ECDH, g.generateKeyPair(), NOW);
	}

	static PGPSignatureSubpacketGenerator flags(int flags) {
		PGPSignatureSubpacketGenerator g = new PGPSignatureSubpacketGenerator();
		g.setKeyFlags(true, flags);
		return g;
	}

	static void write(String path, byte[] packets) throws Exception {
		try (OutputStream out = new ArmoredOutputStream(new FileOutputStream(path))) {
			out.write(packets);
		}
	}

	/* Encrypted to the key that programs with Bouncy Castle mostly take: the first that can be encrypted to. */
	static void make(String folder, String name, PGPKeyPair primary, PGPKeyPair subkey, boolean takesFirst) throws Exception {
		PGPKeyRingGenerator ring = new PGPKeyRingGenerator(PGPSignature.POSITIVE_CERTIFICATION, primary,
			"<" + name + "@table.example>",
			new JcaPGPDigestCalculatorProviderBuilder().build().get(HashAlgorithmTags.SHA1),
			flags(KeyFlags.CERTIFY_OTHER | KeyFlags.SIGN_DATA).generate(), null,
			new BcPGPContentSignerBuilder(primary.getPublicKey().getAlgorithm(), HashAlgorithmTags.SHA256), null);
		ring.addSubKey(subkey, flags(KeyFlags.ENCRYPT_COMMS | KeyFlags.ENCRYPT_STORAGE).generate(), null);
		write(folder + "/" + name + ".cert", ring.generatePublicKeyRing().getEncoded());

		PGPPublicKey key = takesFirst && primary.getPublicKey().isEncryptionKey() ? primary.getPublicKey()
											 : subkey.getPublicKey();
		PGPEncryptedDataGenerator encrypt = new PGPEncryptedDataGenerator(
			new BcPGPDataEncryptorBuilder(SymmetricKeyAlgorithmTags.AES_256).setWithIntegrityPacket(true));
		encrypt.addMethod(new BcPublicKeyKeyEncryptionMethodGenerator(key));
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		byte[] text = "text\n".getBytes("UTF-8");
		try (OutputStream out = encrypt.open(bytes, new byte[4096]);
		     OutputStream literal = new PGPLiteralDataGenerator().open(out, PGPLiteralData.BINARY, "", text.length, NOW)) {
			literal.write(text);
		}
		write(folder + "/" + name + ".message", bytes.toByteArray());
	}

	public static void main(String[] arguments) throws Exception {
		String folder = arguments[0];
		Security.addProvider(new BouncyCastleProvider());
		make(folder, "bc-rsa", rsa(2048), rsa(2048), false);
		make(folder, "bc-rsa-primary", rsa(2048), rsa(2048), true);
		make(folder, "bc-dsa-elgamal", dsa(), elgamal(), false);
		make(folder, "bc-nist", curve("ECDSA", PublicKeyAlgorithmTags.ECDSA, "P-256"),
			curve("ECDH", PublicKeyAlgorithmTags.ECDH, "P-256"), false);
		make(folder, "bc-brainpool", curve("ECDSA", PublicKeyAlgorithmTags.ECDSA, "brainpoolP256r1"),
			curve("ECDH", PublicKeyAlgorithmTags.ECDH, "brainpoolP256r1"), false);
		make(folder, "bc-25519", ed25519(), x25519(), false);
	}
}
