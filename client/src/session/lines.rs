//! Lines of the control connection under X-SafeTP1: each is sealed and opened as one message (ENC and 632, RFC 2228).

use base64::{Engine as _, prelude::BASE64_STANDARD};
use safetp_protocol::security::safetp1::Control as Keys;

use crate::failure::{Result, SecurityError};

/// One command as it goes out. `line` has its CRLF.
pub(super) fn seal(keys: &mut Keys, line: &[u8]) -> Result<Vec<u8>> {
    let message = keys.seal(line).map_err(|error| SecurityError::Tampered(error.to_string()))?;
    Ok(format!("ENC {}\r\n", BASE64_STANDARD.encode(message)).into_bytes())
}

/// One line of a reply, as it came. From 235 on nothing in the clear is believed, so neither is the hyphen of `632-`:
/// where a reply ends is what the line inside says.
pub(super) fn open(keys: &mut Keys, line: &[u8]) -> Result<Vec<u8>> {
    let base64 = line.strip_prefix(b"632 ").or_else(|| line.strip_prefix(b"632-"));
    let base64 = base64.ok_or(SecurityError::Injected("ADAT"))?;
    let tampered = || SecurityError::Tampered("a reply does not verify".into());
    let message = BASE64_STANDARD.decode(base64).map_err(|_| tampered())?;
    let opened = keys.open(&message).map_err(|_| tampered())?;
    if opened.answers_clear {
        return Err(SecurityError::Tampered("somebody else has sent a command into this session".into()).into());
    }
    Ok(opened.line)
}
