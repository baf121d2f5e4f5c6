//! Fernet: keys, and tokens that only their key makes and opens. Other programs' Fernet reads them, and is read.

use std::fmt;

use aes::Aes128;
use base64::Engine;
use base64::prelude::{BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use flowetl_proto::pipeline::Secret;
use ring::hmac;
use zeroize::{Zeroize, Zeroizing};

use crate::{Result, clock};

/// Half of it signs, half of it encrypts.
pub(crate) const KEY_BYTES: usize = 32;
const HALF: usize = KEY_BYTES / 2;

/// What every token begins with.
const VERSION: u8 = 0x80;
const BLOCK_BYTES: usize = 16;
/// Version, time, initialization vector.
const HEAD_BYTES: usize = 1 + 8 + BLOCK_BYTES;
const TAG_BYTES: usize = 32;

/// A key. Never shown, and overwritten where it goes out of use.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key([u8; KEY_BYTES]);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    pub(crate) fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    pub(crate) fn generate() -> Result<Self> {
        Ok(Self(clock::random()?))
    }

    /// The key that is written as `text`, URL-safe base64; none where it is not of the right length.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES + 1]);
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text.trim_end_matches('='), &mut *bytes).ok()?;
        let key = bytes.get(..length)?.try_into().ok()?;
        Some(Self(key))
    }

    /// As people write it.
    pub(crate) fn text(&self) -> Secret {
        Secret::new(BASE64_URL_SAFE.encode(self.0))
    }

    /// A token that holds `plain`.
    pub(crate) fn seal(&self, plain: &[u8]) -> Result<String> {
        Ok(self.seal_at(plain, clock::now() / 1000, clock::random()?))
    }

    fn seal_at(&self, plain: &[u8], seconds: i64, iv: [u8; BLOCK_BYTES]) -> String {
        let mut token = vec![VERSION];
        token.extend(seconds.to_be_bytes());
        token.extend(iv);
        let padded = (plain.len() / BLOCK_BYTES + 1) * BLOCK_BYTES;
        let mut buffer = Zeroizing::new(vec![0; padded]);
        buffer[..plain.len()].copy_from_slice(plain);
        let cipher = cbc::Encryptor::<Aes128>::new(self.encrypts().into(), &iv.into());
        // The buffer has room for the padding.
        let sealed = cipher.encrypt_padded_mut::<Pkcs7>(&mut buffer, plain.len()).unwrap_or_default();
        token.extend_from_slice(sealed);
        let tag = hmac::sign(&self.signs(), &token);
        token.extend(tag.as_ref());
        BASE64_URL_SAFE.encode(token)
    }

    /// What a token holds; nothing where this key has not made it as it is. Nothing of it is read before its signature was
    /// found good. How old it is does not matter: what is kept does not expire.
    pub(crate) fn open(&self, token: &str) -> Option<Zeroizing<Vec<u8>>> {
        let token = BASE64_URL_SAFE.decode(token).ok()?;
        let (signed, tag) = token.split_at_checked(token.len().checked_sub(TAG_BYTES)?)?;
        let (head, sealed) = signed.split_at_checked(HEAD_BYTES)?;
        if head.first() != Some(&VERSION) {
            return None;
        }
        hmac::verify(&self.signs(), signed, tag).ok()?;
        let iv: [u8; BLOCK_BYTES] = head.get(HEAD_BYTES - BLOCK_BYTES..)?.try_into().ok()?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let cipher = cbc::Decryptor::<Aes128>::new(self.encrypts().into(), &iv.into());
        let length = cipher.decrypt_padded_mut::<Pkcs7>(&mut buffer).ok()?.len();
        buffer[length..].zeroize();
        buffer.truncate(length);
        Some(buffer)
    }

    fn signs(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0[..HALF])
    }

    fn encrypts(&self) -> &[u8; HALF] {
        self.0.last_chunk().unwrap_or(&[0; HALF])
    }

    /// The key itself, to be sealed by another one.
    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the Fernet specification, version 0x80.
    const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
    const TOKEN: &str =
        "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    #[test]
    fn se_1_tokens_are_those_of_the_specification() {
        let key = Key::parse(KEY).unwrap();
        let iv = std::array::from_fn(|i| i as u8);
        assert_eq!(key.seal_at(b"hello", 499_162_800, iv), TOKEN);
        assert_eq!(key.open(TOKEN).unwrap().as_slice(), b"hello");
        assert_eq!(key.text().reveal(), KEY);
        let invalid = [
            (
                "incorrect mac",
                "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkFVzXTuGb4hR8AKtwcaX1YdykQUFBQUFBQUFBQQ==",
            ),
            ("too short", "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPA=="),
            (
                "invalid base64",
                "%%%%%%%%%%%%%AECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAl1-szkRVzXTuGb4hR8AKtwcaX1YdykRtfsH-p1YsUD2Q==",
            ),
            (
                "no whole blocks",
                "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPOm73QeoCk9uGib28Xe5vz6oxq5nmxbx_v7mrfyudzUm",
            ),
            (
                "wrong padding",
                "gAAAAAAdwJ6xAAECAwQFBgcICQoLDA0ODz4LEpdELGQAad7aNEHbf-JkLPIpuiYRLQ3RtXatOYREu2FWke6CnJNYIbkuKNqOhw==",
            ),
            (
                "incorrect iv",
                "gAAAAAAdwJ6xBQECAwQFBgcICQoLDA0OD3HkMATM5lFqGaerZ-fWPAkLhFLHpGtDBRLRTZeUfWgHSv49TF2AUEZ1TIvcZjK1zQ==",
            ),
        ];
        for (what, token) in invalid {
            assert!(key.open(token).is_none(), "{what}");
        }
    }

    #[test]
    fn se_1_a_token_with_any_byte_changed_opens_no_more() {
        let (key, other) = (Key::generate().unwrap(), Key::generate().unwrap());
        for length in [0, 1, 15, 16, 17, 1000] {
            let plain = vec![b'x'; length];
            let token = key.seal(&plain).unwrap();
            assert_eq!(key.open(&token).unwrap().as_slice(), plain);
            assert_ne!(key.seal(&plain).unwrap(), token);
            assert!(other.open(&token).is_none());
        }
        let token = key.seal(b"secret").unwrap();
        let bytes = BASE64_URL_SAFE.decode(&token).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(key.open(&BASE64_URL_SAFE.encode(changed)).is_none(), "byte {at}");
        }
    }

    #[test]
    fn se_2_a_key_is_32_bytes_of_url_safe_base64() {
        for wrong in ["", "abc", &KEY[1..], &format!("A{KEY}"), &KEY.replace('_', "/"), &"A".repeat(48)] {
            assert!(Key::parse(wrong).is_none(), "{wrong}");
        }
        assert!(Key::parse(KEY.trim_end_matches('=')).is_some());
        assert_eq!(format!("{:?}", Key::generate().unwrap()), "Key");
    }
}
