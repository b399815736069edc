//! Lines of the control connection under X-SafeTP1: each is sealed and opened as one message (ENC and 632, RFC 2228).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use safetp_protocol::security::safetp1::Control as Keys;

use crate::failure::{Result, SecurityError};

/// Seals one command. `line` ends in CRLF.
pub(super) fn seal(keys: &mut Keys, line: &[u8]) -> Result<Vec<u8>> {
    let message = keys.seal(line).map_err(|error| SecurityError::Tampered(error.to_string()))?;
    Ok(format!("ENC {}\r\n", BASE64_STANDARD.encode(message)).into_bytes())
}

/// Opens one line of a reply. Nothing in the clear is trusted after 235, so the hyphen of `632-` is not either: the
/// line inside shows where a reply ends.
pub(super) fn open(keys: &mut Keys, line: &[u8]) -> Result<Vec<u8>> {
    let base64 = line.strip_prefix(b"632 ").or_else(|| line.strip_prefix(b"632-"));
    let base64 = base64.ok_or(SecurityError::Injected("ADAT"))?;
    let tampered = || SecurityError::Tampered("a reply does not verify".into());
    let message = BASE64_STANDARD.decode(base64).map_err(|_| tampered())?;
    let opened = keys.open(&message).map_err(|_| tampered())?;
    if opened.answers_clear {
        return Err(SecurityError::Tampered("another party has sent a command into this session".into()).into());
    }
    Ok(opened.line)
}
