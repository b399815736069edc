//! What the lying server lies about, and the certificate that it shows.

use rcgen::{BasicConstraints, CertificateParams, CertifiedKey, DnType, IsCa, KeyPair};
use safetp_pod::new_identity;

/// The contents of its one file and of its listing.
pub(crate) const CONTENT: &[u8] = b"all that there is, and more than one block of it if blocks are small enough";

/// The lie that a server tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Story {
    Honest,
    /// The greeting of another protocol.
    AnotherProtocol,
    /// FEAT lists TLS, AUTH refuses it.
    RefusesTls,
    /// FEAT lists TLS under protection and not in the clear.
    HidesTls,
    /// Its certificate is self-signed and a CA's, as `openssl req -x509` makes it.
    IsItsOwnCa,
    /// Its certificate is self-signed and has a common name only.
    HasCommonName,
    /// Its certificate is self-signed and for another name.
    HasAnotherName,
    /// A man in the middle sends a reply after the 234.
    InjectsAfter234,
    /// No EPSV, and the address of another host in the 227.
    PointsElsewhere,
    /// The data connection ends half-way, as a cut cable would end it.
    CutsData,
    /// All is sent, and then the server says 426.
    SaysNotWhole,
    /// All is sent, and then nothing is said.
    SaysNothing,
    /// One bit of the data is flipped.
    FlipsData,
    /// The first block comes again after the last.
    RepeatsData,
    /// The data connection is reset after the last block.
    ResetsAfterEnd,
    /// The data connection stays open after the last block.
    SilentAfterEnd,
    /// The reply to PBSZ has one octet more than was requested.
    GrowsBlocks,
    /// The reply to PWD has an escape sequence and a bidirectional override.
    PaintsPath,
    /// The reply to FEAT does not end.
    NeverEnds,
    /// FEAT lists HASH, and HASH is right.
    Hashes,
    /// The reply to PASS comes in the clear.
    RepliesInTheClear,
    /// One bit of the reply to PASS is flipped.
    FlipsReply,
}

/// How it protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Nothing,
    Tls,
    SafeTp1,
}

/// The certificate that the story is about; for 127.0.0.1 in most.
pub(super) fn identity(story: Story) -> CertifiedKey<KeyPair> {
    let (names, common): (Vec<String>, _) = match story {
        Story::IsItsOwnCa => (vec!["127.0.0.1".into()], "a CA"),
        Story::HasCommonName => (Vec::new(), "127.0.0.1"),
        Story::HasAnotherName => (vec!["ftp.example.org".into()], "127.0.0.1"),
        _ => return new_identity(),
    };
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, common);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let signing_key = KeyPair::generate().unwrap();
    CertifiedKey { cert: params.self_signed(&signing_key).unwrap(), signing_key }
}
