//! SIZE, MDTM (RFC 3659 §3 and §4) and MFMT (draft-somers-ftp-mfxx).

use cap_std::fs::MetadataExt as _;
use safetp_protocol::command::Type;

use super::{Answer, split_at_space};
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
    let seconds = session.blocking(move || Ok(standing::of(&account.home, &path)?.metadata().mtime())).await?;
    Ok(Answer::reply(213, compact_time(seconds)))
}

pub(super) async fn mfmt(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let (time, name) = split_at_space(argument).ok_or(Refusal::Arguments("MFMT needs a time and a name."))?;
    let seconds = str::from_utf8(time)
        .ok()
        .and_then(parse_compact_time)
        .ok_or(Refusal::Arguments("The time must be YYYYMMDDHHMMSS, in UTC."))?;
    let account = session.account()?.clone();
    let path = account.named_path(name)?;
    let text = [format!("Modify={}; ", compact_time(seconds)).as_bytes(), &path.octets()].concat();
    session.blocking(move || account.home.set_modified(&path, seconds)).await?;
    Ok(Answer::reply(213, text))
}
