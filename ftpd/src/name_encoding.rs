//! Names for clients that do not use UTF-8: what they send becomes UTF-8 on the volume, and comes back as they sent it.
//!
//! Each component of a path is converted by itself, since one that cannot be converted must not take the others along.

use std::borrow::Cow;

use encoding_rs::Encoding;

/// How a session's client writes names. The default is octets as they are on the volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NameEncoding(Option<&'static Encoding>);

impl NameEncoding {
    /// The encoding with this label (<https://encoding.spec.whatwg.org/#names-and-labels>). `None` for one that nobody
    /// knows, or in which ASCII is something else than ASCII: the commands around a name are ASCII.
    pub(crate) fn of_label(label: &str) -> Option<Self> {
        let encoding = Encoding::for_label(label.as_bytes()).filter(|encoding| encoding.is_ascii_compatible())?;
        Some(Self((encoding != encoding_rs::UTF_8).then_some(encoding)))
    }

    /// The name of the encoding, if names are converted.
    pub(crate) fn name(self) -> Option<&'static str> {
        self.0.map(Encoding::name)
    }

    /// What a client has sent, as the volume has it.
    pub(crate) fn decode(self, sent: &[u8]) -> Cow<'_, [u8]> {
        self.convert(sent, decoded)
    }

    /// What stands on the volume, as the client reads it.
    pub(crate) fn encode(self, stored: &[u8]) -> Cow<'_, [u8]> {
        self.convert(stored, encoded)
    }

    fn convert(self, octets: &[u8], component: fn(&'static Encoding, &[u8]) -> Option<Vec<u8>>) -> Cow<'_, [u8]> {
        let Some(encoding) = self.0.filter(|_| !octets.is_ascii()) else { return Cow::Borrowed(octets) };
        let components = octets.split(|octet| *octet == b'/');
        let converted = components.map(|part| component(encoding, part).map_or(Cow::Borrowed(part), Cow::Owned));
        Cow::Owned(converted.collect::<Vec<_>>().join(b"/".as_slice()))
    }
}

/// `None` for what [`encoded`] could not say, and so has listed as it is.
fn decoded(encoding: &'static Encoding, sent: &[u8]) -> Option<Vec<u8>> {
    if str::from_utf8(sent).is_ok() && encoded(encoding, sent).is_none() {
        return None;
    }
    let name = encoding.decode_without_bom_handling_and_without_replacement(sent)?;
    Some(name.into_owned().into_bytes())
}

/// `None` for a name that is not UTF-8, or has characters that the encoding lacks.
fn encoded(encoding: &'static Encoding, stored: &[u8]) -> Option<Vec<u8>> {
    let (octets, _, has_unmappable) = encoding.encode(str::from_utf8(stored).ok()?);
    (!has_unmappable).then(|| octets.into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(label: &str) -> NameEncoding {
        NameEncoding::of_label(label).unwrap()
    }

    #[test]
    fn labels_are_known_in_any_case_and_what_hides_ascii_is_refused() {
        assert_eq!(of("windows-1252").name(), Some("windows-1252"));
        assert_eq!(of("SHIFT_JIS").name(), Some("Shift_JIS"));
        assert_eq!((of("UTF-8").name(), of("utf-8")), (None, NameEncoding::default()));
        assert_eq!(["utf-16le", "iso-2022-jp", "no-such"].map(NameEncoding::of_label), [None; 3]);
    }

    #[test]
    fn names_are_utf8_on_the_volume_and_the_clients_own_on_the_wire() {
        for (label, sent, stored) in [
            ("windows-1252", b"d/caf\xe9 \x80".as_slice(), "d/café €"),
            ("shift_jis", b"\x83\x5c/\x95\x5c.txt", "ソ/表.txt"),
            ("windows-1251", b"\xc0\xe1\xff", "Абя"),
        ] {
            assert_eq!(of(label).decode(sent), stored.as_bytes(), "{label}");
            assert_eq!(of(label).encode(stored.as_bytes()), sent, "{label}");
        }
    }

    #[test]
    fn a_name_that_the_encoding_cannot_say_is_listed_as_it_is_and_found_again() {
        for stored in ["表".as_bytes(), "d\u{e9}/表".as_bytes()] {
            let listed = of("windows-1252").encode(stored);
            assert_eq!(of("windows-1252").decode(&listed), stored);
        }
        assert_eq!(of("shift_jis").encode(b"\xff\xfe").as_ref(), b"\xff\xfe", "no UTF-8");
    }

    #[test]
    fn without_an_encoding_octets_stay_as_they_are() {
        assert_eq!(NameEncoding::default().decode(b"\xff/\xe9").as_ref(), b"\xff/\xe9");
        assert_eq!(NameEncoding::default().encode(b"\xff/\xe9").as_ref(), b"\xff/\xe9");
    }

    proptest! {
        #[test]
        fn whatever_a_client_calls_a_file_it_is_listed_as_that(sent: Vec<u8>) {
            let names = of("windows-1252");
            let stored = names.decode(&sent).into_owned();
            prop_assert_eq!(names.encode(&stored).into_owned(), sent);
        }

        #[test]
        fn no_conversion_makes_a_line_end_or_a_slash(sent: Vec<u8>, label in "(shift_jis|gb18030|big5|euc-kr)") {
            let is_harmful = |octet: &&u8| matches!(octet, 0 | b'\r' | b'\n' | b'/');
            let harmful = |octets: &[u8]| octets.iter().filter(is_harmful).count();
            let stored = of(&label).decode(&sent).into_owned();
            prop_assert_eq!(harmful(&stored), harmful(&sent));
            prop_assert_eq!(harmful(&of(&label).encode(&stored)), harmful(&sent));
        }
    }
}
