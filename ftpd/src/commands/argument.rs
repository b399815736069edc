//! Parts of a command's argument.

use safetp_protocol::command::Argument;

use crate::files::Refusal;

/// An argument's octets; none if there is no argument.
pub(super) fn octets(argument: Option<&Argument>) -> &[u8] {
    argument.map(Argument::as_bytes).unwrap_or_default()
}

/// The octets before the first space, and those after it.
pub(super) fn split_at_space(argument: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = argument.iter().position(|octet| *octet == b' ')?;
    Some((argument.get(..space)?, argument.get(space + 1..)?))
}

/// An argument that is not a path, and so must be text.
pub(super) fn text(argument: &[u8]) -> Result<&str, Refusal> {
    str::from_utf8(argument).map_err(|_| Refusal::Arguments("That is not valid UTF-8."))
}
