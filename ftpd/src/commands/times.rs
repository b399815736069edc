//! SIZE, MDTM (RFC 3659 §3 and §4) and MFMT (draft-somers-ftp-mfxx), and MDTM as an older MFMT.

use cap_std::fs::MetadataExt as _;
use safetp_protocol::command::Type;

use super::{answer::Answer, argument::split_at_space};
use crate::{
    files::{
        Home, Refusal, VirtualPath,
        facts::{compact_time, parse_compact_time},
        standing,
    },
    session::Session,
};

pub(super) async fn size(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let account = session.account()?.clone();
    let path = account.named_path(argument)?;
    if session.representation == Type::Ascii {
        return Err(Refusal::SizeOfText);
    }
    let size = session.blocking(move || size_of(&account.home, &path)).await?;
    Ok(Answer::reply(213, size.to_string()))
}

fn size_of(home: &Home, path: &VirtualPath) -> Result<u64, Refusal> {
    let standing = standing::of(home, path)?;
    let metadata = standing.metadata();
    if metadata.is_file() { Ok(metadata.len()) } else { Err(Refusal::NotRegular(path.clone())) }
}

pub(super) async fn mdtm(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let account = session.account()?.clone();
    let path = account.named_path(argument)?;
    match session.blocking(move || Ok(standing::of(&account.home, &path)?.metadata().mtime())).await {
        Ok(seconds) => Ok(Answer::reply(213, compact_time(seconds))),
        // A file of that very name comes before the older meaning.
        Err(_) if sets_time(argument) => {
            session.require_write()?;
            mfmt(session, argument).await
        }
        Err(refusal) => Err(refusal),
    }
}

/// Before there was MFMT, clients set a time by `MDTM YYYYMMDDHHMMSS name`.
fn sets_time(argument: &[u8]) -> bool {
    argument.get(..14).is_some_and(|time| time.iter().all(u8::is_ascii_digit)) && split_at_space(argument).is_some()
}

pub(super) async fn mfmt(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let (time, name) = split_at_space(argument).ok_or(Refusal::Arguments("MFMT needs a time and a name."))?;
    let seconds = str::from_utf8(time)
        .ok()
        .and_then(parse_compact_time)
        .ok_or(Refusal::Arguments("The time must be YYYYMMDDHHMMSS, in UTC."))?;
    let path = set_time(session, name, seconds).await?;
    let text = [format!("Modify={}; ", compact_time(seconds)).as_bytes(), &path.octets()].concat();
    Ok(Answer::reply(213, text))
}

/// Sets when a file or directory was last modified, in seconds since 1970.
pub(super) async fn set_time(session: &Session, name: &[u8], seconds: i64) -> Result<VirtualPath, Refusal> {
    let account = session.account()?.clone();
    let path = account.named_path(name)?;
    session.blocking(move || account.home.set_modified(&path, seconds).map(|()| path)).await
}
