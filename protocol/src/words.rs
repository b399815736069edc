//! English words for errors that a library names only by the variant of an enum.

use std::fmt::Debug;

/// The words of a variant's name: `NoCipherSuitesInCommon` is "no cipher suites in common". What the variant holds is
/// left out.
pub fn words(variant: &impl Debug) -> String {
    let name = format!("{variant:?}");
    let name = name.split(|char: char| !char.is_ascii_alphanumeric()).next().unwrap_or_default();
    let mut words = String::new();
    for char in name.chars() {
        if char.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(char.to_ascii_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    enum Library {
        NothingInCommon,
        #[expect(dead_code, reason = "it is there to be left out")]
        Holds(Option<u8>),
    }

    #[test]
    fn a_variant_becomes_words_without_the_values_that_it_holds() {
        assert_eq!(words(&Library::NothingInCommon), "nothing in common");
        assert_eq!(words(&Library::Holds(Some(1))), "holds");
    }
}
