//! X-SafeTP1's blocks (PROT P: 3DES, HMAC-SHA1) beside OpenSSL's 3DES alone, in memory on one core.

use std::{
    net::{IpAddr, Ipv4Addr},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use chacha20::{ChaCha20Rng, rand_core::SeedableRng as _};
use safetp_protocol::security::safetp1::{
    BlockSize, DataKeys, Level, ServerIp, SigningKey, TransferNumber, client, server,
};

use crate::{
    processes::{CLIENT_CORE, on_core},
    table::Spread,
};

const MEBIBYTE: f64 = 1024.0 * 1024.0;
/// The largest block that PBSZ can ask for, and what OpenSSL encrypts at once.
const BLOCK: u32 = 65536;

/// Rates in MiB/s, one for each round.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    sealing: Vec<f64>,
    opening: Vec<f64>,
    openssl_encrypting: Vec<f64>,
    openssl_decrypting: Vec<f64>,
}

impl Rates {
    /// Measures one more round, in which each of the four has its turn.
    pub(crate) fn measure(&mut self, turn: Duration) -> Result<()> {
        on_core(CLIENT_CORE, || {
            let (client, server) = keys()?;
            self.sealing.push(seal(&client, turn)?);
            self.opening.push(open(&client, &server, turn)?);
            self.openssl_encrypting.push(openssl(&[], turn)?);
            self.openssl_decrypting.push(openssl(&["-decrypt"], turn)?);
            Ok(())
        })
    }

    pub(crate) fn render(&self) -> String {
        let cell = |rates: &[f64]| Spread::of(rates.to_vec()).map_or_else(String::new, |spread| spread.cell(1));
        format!(
            "| 3DES in CBC on one core, MiB/s | encrypting | decrypting |\n|---|---:|---:|\n\
             | X-SafeTP1's blocks under PROT P, with their HMAC-SHA1 | {} | {} |\n\
             | OpenSSL's des-ede3-cbc alone | {} | {} |\n",
            cell(&self.sealing),
            cell(&self.opening),
            cell(&self.openssl_encrypting),
            cell(&self.openssl_decrypting),
        )
    }
}

fn seal(keys: &DataKeys, turn: Duration) -> Result<f64> {
    let mut sealer = keys.sealer(TransferNumber(0), Level::Private, block_size()?);
    let payload = vec![7; sealer.payload_size()];
    let mut block = Vec::new();
    let mut count = 0u32;
    let started = Instant::now();
    while started.elapsed() < turn {
        block.clear();
        sealer.seal(&payload, &mut block)?;
        count += 1;
    }
    Ok(rate(count, payload.len(), started.elapsed()))
}

/// A block can be opened once, so each is sealed just before, outside of the time.
fn open(sending: &DataKeys, receiving: &DataKeys, turn: Duration) -> Result<f64> {
    let mut sealer = sending.sealer(TransferNumber(1), Level::Private, block_size()?);
    let mut opener = receiving.opener(TransferNumber(1), Level::Private, block_size()?);
    let payload = vec![7; sealer.payload_size()];
    let mut block = Vec::new();
    let (mut count, mut spent) = (0u32, Duration::ZERO);
    while spent < turn {
        block.clear();
        sealer.seal(&payload, &mut block)?;
        let whole = block.get_mut(4..).context("a block without its length")?;
        let started = Instant::now();
        opener.open(whole)?;
        spent += started.elapsed();
        count += 1;
    }
    Ok(rate(count, payload.len(), spent))
}

/// Reads the line that openssl writes for programs: `+F:number:NAME:octets per second`.
fn openssl(options: &[&str], turn: Duration) -> Result<f64> {
    let seconds = turn.as_secs().max(1).to_string();
    let mut speed = Command::new("openssl");
    speed.arg("speed").args(options).args(["-evp", "des-ede3-cbc", "-mr", "-seconds", &seconds, "-bytes"]);
    let output = speed.arg(BLOCK.to_string()).output().context("failed to run openssl")?;
    ensure!(output.status.success(), "openssl failed: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with("+F:"));
    let octets = line.and_then(|line| line.rsplit(':').next()?.parse::<f64>().ok());
    Ok(octets.with_context(|| format!("no speed in the output of openssl: {text}"))? / MEBIBYTE)
}

fn rate(blocks: u32, payload: usize, elapsed: Duration) -> f64 {
    let payload = u32::try_from(payload).map_or(0.0, f64::from);
    f64::from(blocks) * payload / MEBIBYTE / elapsed.as_secs_f64()
}

fn block_size() -> Result<BlockSize> {
    BlockSize::negotiate(BLOCK).context("the block is too small")
}

/// The keys of a session's data connections, at the client and at the server.
fn keys() -> Result<(DataKeys, DataKeys)> {
    let pem = include_str!("../../../protocol/testdata/x-safetp1/dsa-1024-160.pem");
    let key = SigningKey::from_pkcs8_pem(pem).map_err(|error| anyhow!("{error}"))?;
    let address = ServerIp::from(IpAddr::from(Ipv4Addr::LOCALHOST));
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (server, message1) = server::begin(Arc::new(key));
    let (client, message2) = client::begin(&message1, &mut rng)?;
    let (server, message3) = server.answer(&message2, address, &mut rng)?;
    let (client, message4) = client.finish(&message3, address)?;
    Ok((client.data, server.finish(&message4)?.data))
}
