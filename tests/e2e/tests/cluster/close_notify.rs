//! Uploads that end without `close_notify`: refused, reported by an event, and accepted from a login that is excused.

use std::io::ErrorKind;

use anyhow::Result;
use safetp_e2e::{Host, scenario::Namespace};
use safetp_ftps::Session;
use serde_json::{Value, json};

use crate::watching::Watch;

/// Stores a file and ends the TCP connection alone, as many devices do.
fn store_unclosed(session: &mut Session) -> Result<u16> {
    let mut data = session.open("STOR file")?;
    data.write_all(b"whole")?;
    let end = data.cut_and_read();
    let code = session.reply()?.code;
    match end {
        // A refused upload's connection is reset, so that no client takes it for complete.
        Err(error) if code == 426 && error.kind() == ErrorKind::ConnectionReset => {}
        end => end?,
    }
    Ok(code)
}

fn note_of_event(events: &Value) -> Option<String> {
    let events = events["items"].as_array()?;
    let event = events.iter().find(|event| event["reason"] == "UploadNotClosed")?;
    Some(event["message"].as_str()?.to_owned())
}

#[test]
fn the_first_upload_without_close_notify_creates_an_event_and_its_login_can_be_excused() -> Result<()> {
    let namespace = Namespace::new("e2e-close-notify")?;
    let server = namespace.server("files", &json!({}))?;
    assert_eq!(store_unclosed(&mut server.login(Host::Client)?)?, 426);
    // Any change makes the operator look at the pods now and not within ten minutes.
    namespace.apply_server("files", &json!({ "limits": { "sessions": 9999 } }))?;
    let note = namespace.wait_for("events", "an event about the upload", note_of_event)?;
    assert!(note.contains("login alice") && note.contains("spec.uploads.requireCloseNotify: false"), "{note}");
    let mut watch = Watch::start(&namespace, "safetpuser/alice", "{.status.observedGeneration}")?;
    namespace.apply_object(&json!({
        "apiVersion": "safetp.io/v1alpha1", "kind": "SafeTPUser", "metadata": { "name": "alice" },
        "spec": { "servers": ["files"], "passwordSecretRef": { "name": "alice", "key": "password" },
                  "uploads": { "requireCloseNotify": false } },
    }))?;
    watch.until("2")?;
    let server = namespace.wait_ready("files")?;
    assert_eq!(store_unclosed(&mut server.login(Host::Client)?)?, 226);
    Ok(())
}
