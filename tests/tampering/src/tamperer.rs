//! The man in the middle on one direction of one connection: octets in, steps out, no sockets.

use std::sync::Arc;

use rand::{Rng as _, RngCore as _, SeedableRng as _, rngs::StdRng};

use crate::{
    framing::{Framing, Kind, Splitter, Unit},
    operation::{Operation, Tampering},
    stream::Stream,
    tape::{Effect, Tape},
};

/// One step at the receiver's connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// These octets are forwarded.
    Forward(Vec<u8>),
    /// The sender has ended, or seems to have.
    End,
    /// Both connections are reset.
    Reset,
    /// Nothing goes this way any more, not even the end.
    Stall,
}

/// One direction of one connection.
#[derive(Debug)]
pub struct Tamperer {
    tape: Arc<Tape>,
    stream: Stream,
    splitter: Splitter,
    tampering: Option<Tampering>,
    next: usize,
    /// Waits for the next unit to overtake it.
    held: Option<Vec<u8>>,
    /// Nothing that the sender still sends is forwarded.
    is_over: bool,
}

impl Tamperer {
    /// Does what the tape's case says of this stream.
    pub fn new(tape: Arc<Tape>, stream: Stream) -> Self {
        let splitter = Splitter::new(tape.framing(stream.channel));
        let tampering = tape.tampering(stream);
        Self { tape, stream, splitter, tampering, next: 0, held: None, is_over: false }
    }

    /// Takes what the sender has sent.
    pub fn handle(&mut self, octets: &[u8]) -> Vec<Step> {
        self.splitter.push(octets);
        let mut steps = Vec::new();
        while let Some(unit) = self.splitter.next_unit() {
            self.tape.note_unit(self.stream, &unit);
            let index = self.next;
            self.next += 1;
            if self.is_over {
                continue;
            }
            if let Some(tampering) = self.tampering.clone().filter(|tampering| tampering.index == index) {
                self.tamper(&tampering, unit, &mut steps);
            } else {
                steps.push(Step::Forward(unit.octets));
                steps.extend(self.held.take().map(Step::Forward));
            }
        }
        steps
    }

    /// The sender has ended.
    pub fn handle_end(&mut self) -> Vec<Step> {
        self.tape.note_end(self.stream);
        if self.is_over {
            return Vec::new();
        }
        let mut steps = Vec::new();
        if let Some(held) = self.held.take() {
            self.tape.note_effect(Effect::Restored);
            steps.push(Step::Forward(held));
        }
        if let Some(tampering) = self.tampering.take()
            && tampering.operation.inserts()
            && tampering.index == self.next
        {
            self.tape.note_effect(Effect::Done);
            steps.push(Step::Forward(self.insertion(&tampering, Kind::Raw)));
        }
        steps.push(Step::Forward(self.splitter.rest()));
        steps.push(Step::End);
        steps
    }

    fn tamper(&mut self, tampering: &Tampering, unit: Unit, steps: &mut Vec<Step>) {
        let mut rng = StdRng::seed_from_u64(tampering.seed);
        let header = unit.header_length();
        let kind = unit.kind;
        let octets = unit.octets;
        self.tape.note_effect(Effect::Done);
        match tampering.operation {
            Operation::FlipHeader => steps.push(self.flip(octets, 0..header, &mut rng)),
            Operation::FlipBody => {
                let end = octets.len();
                steps.push(self.flip(octets, header.min(end - 1)..end, &mut rng));
            }
            Operation::Drop => {}
            Operation::Duplicate => steps.extend([Step::Forward(octets.clone()), Step::Forward(octets)]),
            Operation::Swap => self.held = Some(octets),
            Operation::Truncate => self.truncate(octets, Step::End, &mut rng, steps),
            Operation::TruncateAndReset => self.truncate(octets, Step::Reset, &mut rng, steps),
            Operation::InsertNoise | Operation::InsertUnit => {
                steps.extend([Step::Forward(self.insertion(tampering, kind)), Step::Forward(octets)]);
            }
            Operation::Cut => {
                self.is_over = true;
                steps.extend([Step::Forward(octets), Step::End]);
            }
            Operation::Replay => {
                let earlier = self.tape.kept(self.stream.direction, tampering.index).unwrap_or_else(|| octets.clone());
                // TLS 1.2's change_cipher_spec is always the same.
                if earlier == octets {
                    self.tape.note_effect(Effect::None);
                }
                steps.push(Step::Forward(earlier));
            }
            Operation::Inject(line) => {
                steps.extend([Step::Forward(octets), Step::Forward(format!("{line}\r\n").into_bytes())]);
            }
            Operation::Stall => {
                self.is_over = true;
                steps.push(Step::Stall);
            }
        }
    }

    fn flip(&self, mut octets: Vec<u8>, range: std::ops::Range<usize>, rng: &mut StdRng) -> Step {
        let position = rng.random_range(range);
        let from = octets[position];
        octets[position] ^= 1 << rng.random_range(0..8);
        self.tape.note_effect(Effect::Changed { position, from, to: octets[position] });
        Step::Forward(octets)
    }

    fn truncate(&mut self, mut octets: Vec<u8>, end: Step, rng: &mut StdRng, steps: &mut Vec<Step>) {
        octets.truncate(rng.random_range(0..octets.len()));
        self.is_over = true;
        steps.extend([Step::Forward(octets), end]);
    }

    fn insertion(&self, tampering: &Tampering, kind: Kind) -> Vec<u8> {
        let mut rng = StdRng::seed_from_u64(tampering.seed);
        let mut noise = vec![0; rng.random_range(1..200)];
        rng.fill_bytes(&mut noise);
        let length = u8::try_from(noise.len()).unwrap();
        match (tampering.operation, kind, self.tape.framing(self.stream.channel)) {
            (Operation::InsertNoise, ..) => noise,
            (_, Kind::Record(_), _) | (_, _, Framing::Records) => [&[23, 3, 3, 0, length], &noise[..]].concat(),
            (_, Kind::Block, _) | (_, _, Framing::Blocks) => [&[0, 0, 0, length], &noise[..]].concat(),
            _ => b"632 QUJDRA==\r\n".to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Channel, Direction};

    const STREAM: Stream = Stream { channel: Channel::Control, direction: Direction::ToServer };

    /// The steps that three lines lead to.
    fn tampered(operation: Operation, index: usize) -> (Vec<Step>, Effect) {
        let tampering = Tampering { stream: STREAM, index, operation, seed: 1 };
        let tape = Arc::new(Tape::new(Framing::Blocks, Some(tampering)));
        let mut tamperer = Tamperer::new(Arc::clone(&tape), STREAM);
        let mut steps = tamperer.handle(b"A 1\r\nB 2\r\nC 3\r\n");
        steps.extend(tamperer.handle_end());
        steps.retain(|step| *step != Step::Forward(Vec::new()));
        (steps, tape.effect())
    }

    fn lines(lines: &[&str]) -> Vec<Step> {
        let forward = |line: &&str| Step::Forward(format!("{line}\r\n").into_bytes());
        lines.iter().map(forward).chain([Step::End]).collect()
    }

    #[test]
    fn lines_are_dropped_doubled_and_swapped() {
        assert_eq!(tampered(Operation::Drop, 1), (lines(&["A 1", "C 3"]), Effect::Done));
        assert_eq!(tampered(Operation::Duplicate, 1), (lines(&["A 1", "B 2", "B 2", "C 3"]), Effect::Done));
        assert_eq!(tampered(Operation::Swap, 1), (lines(&["A 1", "C 3", "B 2"]), Effect::Done));
        assert_eq!(tampered(Operation::Cut, 0), (lines(&["A 1"]), Effect::Done));
        assert_eq!(tampered(Operation::Inject("X"), 2), (lines(&["A 1", "B 2", "C 3", "X"]), Effect::Done));
    }

    #[test]
    fn the_last_unit_cannot_be_swapped() {
        assert_eq!(tampered(Operation::Swap, 2), (lines(&["A 1", "B 2", "C 3"]), Effect::Restored));
    }

    #[test]
    fn an_index_beyond_the_last_unit_changes_nothing() {
        assert_eq!(tampered(Operation::Drop, 3), (lines(&["A 1", "B 2", "C 3"]), Effect::None));
    }

    #[test]
    fn a_flip_changes_one_bit_and_says_which() {
        let (steps, effect) = tampered(Operation::FlipBody, 1);
        let Effect::Changed { position, from, to } = effect else { panic!("{effect:?}") };
        assert_eq!((from ^ to).count_ones(), 1);
        assert!(position >= 2);
        let Some(Step::Forward(octets)) = steps.get(1) else { panic!("{steps:?}") };
        assert_eq!((octets[position], b"B 2\r\n"[position]), (to, from));
    }

    #[test]
    fn a_cut_takes_at_least_one_octet() {
        let (steps, _) = tampered(Operation::TruncateAndReset, 0);
        assert_eq!(steps.last(), Some(&Step::Reset));
        assert!(steps.iter().all(|step| !matches!(step, Step::Forward(octets) if octets.len() >= 5)));
    }
}
