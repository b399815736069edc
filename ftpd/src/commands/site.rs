//! SITE (RFC 959 §4.1.3): CHMOD and UTIME, as clients of the eighties know them.

use super::{answer::Answer, argument::split_at_space, times::set_time};
use crate::{
    files::{Refusal, facts::parse_compact_time},
    session::Session,
};

const UNKNOWN: &str = "SITE knows CHMOD, HELP and UTIME.";
const CHMOD_FORM: &str = "SITE CHMOD needs an octal mode and a name: SITE CHMOD 640 name.";
const UTIME_FORM: &str = "SITE UTIME needs a time in UTC and a name: SITE UTIME YYYYMMDDHHMMSS name.";

pub(super) async fn site(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    let (word, rest) = split_at_space(argument).unwrap_or((argument, &[]));
    match word.to_ascii_uppercase().as_slice() {
        b"" | b"HELP" => Ok(Answer::reply(214, UNKNOWN)),
        b"CHMOD" => chmod(session, rest).await,
        b"UTIME" => utime(session, rest).await,
        _ => Err(Refusal::Parameter(UNKNOWN)),
    }
}

async fn chmod(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    session.require_write()?;
    let (mode, name) = split_at_space(argument).ok_or(Refusal::Arguments(CHMOD_FORM))?;
    let wanted = octal(mode).ok_or(Refusal::Arguments(CHMOD_FORM))?;
    let account = session.account()?.clone();
    let path = account.named_path(name)?;
    let mode = session.blocking(move || account.home.set_mode(&path, wanted)).await?;
    let why = if mode == wanted { "" } else { ": the owner keeps access, and special bits stay as they are" };
    Ok(Answer::reply(200, format!("The mode is {mode:04o}{why}.")))
}

fn octal(mode: &[u8]) -> Option<u32> {
    let digits = str::from_utf8(mode).ok().filter(|mode| mode.bytes().all(|octet| octet.is_ascii_digit()))?;
    u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o7777)
}

/// `YYYYMMDDHHMM[SS] name`, or `name accessed modified created UTC` with three such times.
async fn utime(session: &Session, argument: &[u8]) -> Result<Answer, Refusal> {
    session.require_write()?;
    if let Some((name, seconds)) = long_form(argument) {
        set_time(session, name, seconds).await?;
        return Ok(Answer::reply(
            200,
            "The time of modification is set; those of access and creation are not changed.",
        ));
    }
    let (time, name) = split_at_space(argument).ok_or(Refusal::Arguments(UTIME_FORM))?;
    let seconds = seconds(time).ok_or(Refusal::Arguments(UTIME_FORM))?;
    set_time(session, name, seconds).await?;
    Ok(Answer::reply(200, "The time of modification is set."))
}

fn long_form(argument: &[u8]) -> Option<(&[u8], i64)> {
    let mut words = argument.rsplitn(5, |octet| *octet == b' ');
    let (zone, created, modified) = (words.next()?, words.next()?, words.next()?);
    let (accessed, name) = (words.next()?, words.next()?);
    if !zone.eq_ignore_ascii_case(b"UTC") || seconds(created).is_none() || seconds(accessed).is_none() {
        return None;
    }
    Some((name, seconds(modified)?))
}

/// As the other commands take it, or without seconds.
fn seconds(time: &[u8]) -> Option<i64> {
    let time = str::from_utf8(time).ok()?;
    if time.len() == 12 { parse_compact_time(&format!("{time}00")) } else { parse_compact_time(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal_digits_and_nothing_else() {
        assert_eq!([&b"640"[..], b"0755", b"7777"].map(octal), [Some(0o640), Some(0o755), Some(0o7777)]);
        assert_eq!([&b"+640"[..], b"u+w", b"800", b"17777", b""].map(octal), [None; 5]);
    }

    #[test]
    fn the_long_form_of_utime_is_told_by_its_zone_and_its_three_times() {
        let line = b"a b 20200102030405 20200102030406 202001020304 UTC";
        assert_eq!(long_form(line), Some((&b"a b"[..], 1_577_934_246)));
        for wrong in [&b"20200102030405 a b c UTC"[..], b"a 20200102030405 UTC", b"a 1 2 3 UTC", b"UTC"] {
            assert_eq!(long_form(wrong), None, "{wrong:?}");
        }
    }
}
