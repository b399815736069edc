//! Fingerprints, by which people and files name a server's key.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};

use super::wire_profile::FINGERPRINT_PREFIX;

/// The SHA-256 of a DSA public key as it is on the wire: `SHA256:` and its base64 without padding.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

/// The text is not a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is SHA256: and 43 characters of base64")]
pub struct NotAFingerprint;

impl Fingerprint {
    pub(super) fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FINGERPRINT_PREFIX}{}", BASE64_STANDARD_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let base64 = text.strip_prefix(FINGERPRINT_PREFIX).ok_or(NotAFingerprint)?;
        let octets = BASE64_STANDARD_NO_PAD.decode(base64).map_err(|_| NotAFingerprint)?;
        octets.try_into().map(Self).map_err(|_| NotAFingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_comes_back_from_its_text() {
        let fingerprint = Fingerprint::new(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        let text = fingerprint.to_string();
        assert_eq!(text, "SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
        assert_eq!(text.parse(), Ok(fingerprint));
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["", "SHA256:", "SHA256:AAEC", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "SHA256:*"] {
            assert_eq!(text.parse::<Fingerprint>(), Err(NotAFingerprint), "{text}");
        }
        let padded = "SHA256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        assert_eq!(padded.parse::<Fingerprint>(), Err(NotAFingerprint));
    }
}
